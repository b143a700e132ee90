package proxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"
)

// http3Section returns a HEADERS frame. Its fields are encoded without any table (RFC 9204 section 4.5.6).
func http3Section(fields ...string) []byte {
	block := []byte{0, 0}
	for i := 0; i < len(fields); i += 2 {
		block = append(appendPrefixed(block, 0x20, 3, len(fields[i])), fields[i]...)
		block = append(appendPrefixed(block, 0, 7, len(fields[i+1])), fields[i+1]...)
	}
	return append(quicvarint.Append([]byte{1}, uint64(len(block))), block...)
}

// appendPrefixed appends an integer below 128 with a prefix of that many bits (RFC 7541 section 5.1).
func appendPrefixed(b []byte, high byte, bits uint, n int) []byte {
	if most := 1<<bits - 1; n >= most {
		return append(b, high|byte(most), byte(n-most))
	}
	return append(b, high|byte(n))
}

// rawHTTP3 sends field sections on a stream of a new connection, and reports whether the stream ended without a reset.
func rawHTTP3(t *testing.T, addr string, sections ...[]string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	conn, err := quic.DialAddr(ctx, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(http3NoError, "")
	control, err := conn.OpenUniStream()
	if err != nil {
		t.Fatal(err)
	}
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	control.Write([]byte{0, 4, 0}) // a control stream with empty SETTINGS
	for _, fields := range sections {
		stream.Write(http3Section(fields...))
	}
	stream.Close()
	_, err = io.Copy(io.Discard, stream)
	return err == nil
}

// HTTP/2 and HTTP/3 accept the same requests, and the pod receives the same.
func TestHTTP3_agreesWithHTTP2(t *testing.T) {
	for _, c := range []struct {
		name             string
		fields, trailers []string
		pod              string // the line that the pod receives, "" if the request is refused
	}{
		{"plain", []string{"x-a", "b"}, nil, "x-a: b"},
		{"two equal lengths", []string{"content-length", "0", "content-length", "0"}, nil, "Content-Length: 0"},
		{"two lengths", []string{"content-length", "0", "content-length", "1"}, nil, ""},
		{"equal lengths that are no numbers", []string{"content-length", "+0", "content-length", "+0"}, nil, ""},
		{"space before a value", []string{"x-a", " b"}, nil, ""},
		{"space after a value", []string{"x-a", "b "}, nil, ""},
		{"tab before a value", []string{"x-a", "\tb"}, nil, ""},
		{"space in a value", []string{"x-a", "b c"}, nil, "x-a: b c"},
		{"trailers", []string{"x-a", "b"}, []string{"x-sum", "1"}, "x-a: b"},
		{"announced trailer", []string{"trailer", "x-sum"}, []string{"x-sum", "1"}, "trailer: x-sum"},
		{"announced length", []string{"trailer", "content-length"}, []string{"x-sum", "1"}, ""},
		{"unknown expectation", []string{"expect", "much"}, nil, ""},
		{"length as a trailer", nil, []string{"content-length", "1"}, ""},
		{"authorization as a trailer", nil, []string{"authorization", "Basic YTpi"}, ""},
		{"host as a trailer", nil, []string{"host", "b.example"}, ""},
		{"condition as a trailer", nil, []string{"if-match", "*"}, ""},
		{"pragma as a trailer", nil, []string{"pragma", "no-cache"}, ""},
		{"pseudo field as a trailer", nil, []string{":path", "/b"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, addr := http3Rig(t)
			p := startEcho(t, "pod-a")
			r.serve(nil, p)
			head := append([]string{":method", "POST", ":scheme", "https", ":authority", "a.example", ":path", "/"}, c.fields...)
			sections := [][]string{head}
			if c.trailers != nil {
				sections = append(sections, c.trailers)
			}
			client := dialHTTP2(t, r.addr)
			for i, fields := range sections {
				client.must(client.open(1, i == len(sections)-1, fields...))
			}
			outcome := client.outcome(1)
			checkAgreed(t, "HTTP/2", p, outcome == "200", c.pod)
			checkAgreed(t, "HTTP/3", p, rawHTTP3(t, addr, sections...), c.pod)
		})
	}
}

// checkAgreed checks whether the request was accepted: the pod received it and the response was complete.
func checkAgreed(t *testing.T, protocol string, p *pod, complete bool, want string) {
	t.Helper()
	heads := strings.Join(p.takeRequests(), "")
	accepted := complete && heads != ""
	if accepted != (want != "") || accepted && !strings.Contains(strings.ToLower(heads), strings.ToLower(want)+"\r\n") {
		t.Errorf("%s: accepted: %t, complete: %t, and the pod received %q", protocol, accepted, complete, heads)
	}
}

func TestExpect_podNeverContinuesHTTP3(t *testing.T) {
	r, addr := http3Rig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	body, send := io.Pipe()
	q := newRequest(t, http.MethodPost, "https://"+addr+"/", body)
	q.ContentLength = 4
	q.Header.Set("Expect", "100-continue")
	q = q.WithContext(httptrace.WithClientTrace(q.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			if code == http.StatusContinue {
				go func() {
					fmt.Fprint(send, "body")
					send.Close()
				}()
			}
			return nil
		},
	}))
	if got := do(t, http3Client(t), q); got.body != "body" {
		t.Errorf("%q came back", got.body)
	}
}
