package proxy

import (
	"bufio"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// isEnd reports whether an error means that a connection ended, rather than that malformed data was received.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// FuzzAnythingAClientSays checks that a client gets valid responses until its connection ends, and that a pod gets
// valid requests, for any bytes that the client sends. net/http parses both.
func FuzzAnythingAClientSays(f *testing.F) {
	f.Add(request("GET", "/", "") + request("POST", "/a?b", "body"))
	f.Add(chunkedPost + chunked("bo", "dy") + request("HEAD", "/", ""))
	f.Add(announced + "some")
	f.Add(handshake + "hello")
	f.Add("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /%2e/x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n")
	f.Add("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	f.Add("OPTIONS * HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: b\r\nCookie: limpet-cart=c; d=e\r\nTE: trailers\r\n\r\n")
	f.Add("PRI * HTTP/1.1\r\n\r\n")
	r := newRig(f, trusting())
	r.serve(cookieAffinity(), startEcho(f, "pod-a")) // which panics at what it cannot read
	f.Fuzz(func(t *testing.T, text string) {
		if strings.HasPrefix(text, "PRI * HTTP/2.0\r\n\r\n") {
			return
		}
		client := callTo(t, r.addr)
		go func() {
			io.WriteString(client.Conn, text)
			client.Conn.(interface{ CloseWrite() error }).CloseWrite()
		}()
		for {
			// The request's method is not known here. The response to a HEAD looks truncated.
			a, err := client.tryRead("GET")
			if err != nil && !isEnd(err) {
				t.Fatalf("after %q: %v", text, err)
			}
			if err != nil || a.err != nil {
				return
			}
		}
	})
}

// FuzzAnythingAPodSays checks that the client gets a valid response or notices its truncation, for any bytes that a pod
// sends, and that none of them reach the next client.
func FuzzAnythingAPodSays(f *testing.F) {
	const ok = "HTTP/1.1 200 OK\r\n"
	f.Add(ok+"Content-Length: 4\r\n\r\nbody", true)
	f.Add(ok+"Transfer-Encoding: chunked\r\n\r\n"+chunked("bo", "dy"), true)
	f.Add(ok+"Transfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2\r\nbo\r\n0\r\nA: b\r\n\r\n"+ok, true)
	f.Add(ok+"\r\nbody", true)
	f.Add("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"+ok+"Set-Cookie: limpet-cart=x\r\nContent-Length: 0\r\n\r\n", true)
	f.Add(switching+"hello", true)
	f.Add("HTTP/1.0 999 \r\nConnection: keep-alive, x\r\nX: y\r\n\r\n", true)
	r := newRig(f)
	var says atomic.Value
	var keeps atomic.Bool
	r.serve(cookieAffinity(), startPod(f, "pod-a", func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			if strings.HasPrefix(head, "GET /next ") {
				c.answer("next")
			} else if !c.say(says.Load().(string)) || !keeps.Load() {
				return
			}
			c.Conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond)) // it may have said only half
		}
	}))
	f.Fuzz(func(t *testing.T, text string, keep bool) {
		says.Store(text)
		keeps.Store(keep)
		client := callTo(t, r.addr)
		client.send(request("GET", "/", "", "Connection: close"))
		answer := bufio.NewReader(io.LimitReader(client.Conn, 1<<20))
		for {
			resp, err := http.ReadResponse(answer, nil)
			if err != nil {
				if !isEnd(err) {
					t.Fatalf("of %q the client gets: %v", text, err)
				}
				break
			}
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil && !isEnd(err) {
				t.Fatalf("of %q the client gets: %v", text, err)
			}
			if err != nil || resp.StatusCode >= 200 {
				break
			}
		}
		client.Close()
		callTo(t, r.addr).get("/next").expectOK(t, "next")
	})
}

// FuzzNamesInCertificatesAreOneLine checks that a name in a certificate reaches pods as one line, for any bytes in it.
func FuzzNamesInCertificatesAreOneLine(f *testing.F) {
	for _, name := range []pkix.Name{{CommonName: "alice"}, {CommonName: "a, b", Organization: []string{"c\r\nd", "\u00e9"}}} {
		der, err := asn1.Marshal(name.ToRDNSequence())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		text, err := distinguishedName(der)
		if err != nil {
			return
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			t.Errorf("%q", text)
		}
	})
}
