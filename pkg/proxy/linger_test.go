package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// mostDiscarded is more than what a connection discards after an error, and the buffers of the sockets hold.
const mostDiscarded = 2*lingerBytes + 32<<20

// A client that is still sending when its request is refused must receive the whole response (RFC 9112 section 9.6).
func TestLinger_refusedWhileSending(t *testing.T) {
	long := strings.Repeat("a", 70<<10)
	const body = "Content-Length: 8388608\r\n\r\n"
	for _, c := range []struct {
		name, head string
		status     int
	}{
		{"bad field", "POST / HTTP/1.1\r\nHost: shop.example\r\nA B: c\r\n" + body, 400},
		{"no Host", "POST / HTTP/1.1\r\n" + body, 400},
		{"path above the root", "POST /.. HTTP/1.1\r\nHost: shop.example\r\n" + body, 400},
		{"target too long", "POST /" + long + " HTTP/1.1\r\nHost: shop.example\r\n" + body, 414},
		{"unknown expectation", "POST / HTTP/1.1\r\nHost: shop.example\r\nExpect: much\r\n" + body, 417},
		{"head too large", "POST / HTTP/1.1\r\nHost: shop.example\r\nA: " + long + "\r\n" + body, 431},
		{"too many fields", "POST / HTTP/1.1\r\nHost: shop.example\r\n" + strings.Repeat("A: b\r\n", 200) + body, 431},
		{"unknown coding", "POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
		{"bad chunk", "POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
		{"unknown version", "POST / HTTP/2.0\r\nHost: shop.example\r\n" + body, 505},
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: shop.example\r\n" + body, 405},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.serve(nil, startEcho(t, "pod-a"))
			client := r.dial()
			client.send(c.head)
			for range 8 {
				client.send(mebibyte)
			}
			a := client.read(http.MethodPost)
			a.expectStatus(t, c.status)
			if a.err != nil || !a.close {
				t.Errorf("whole: %v, close: %t", a.err, a.close)
			}
			client.expectClosed()
		})
	}
}

// endlessly sends text until the connection fails, and returns the number of bytes.
func endlessly(conn io.Writer, text string) (sent int) {
	for sent < 4*mostDiscarded {
		n, err := io.WriteString(conn, text)
		sent += n
		if err != nil {
			break
		}
	}
	return sent
}

func TestLinger_bytesAreBounded(t *testing.T) {
	for name, head := range map[string]string{
		"bad head":    "GET / HTTP/1.1\r\nA B: c\r\n\r\n",
		"bad chunk":   "POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"unused body": "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 1000000000000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.publish()
			client := r.dial()
			client.send(head)
			if sent := endlessly(client.Conn, mebibyte); sent > mostDiscarded {
				t.Errorf("%d bytes are read and discarded", sent)
			}
		})
	}
}

// A connection that has ended with an error discards far less than a body.
func TestLinger_afterGoAway(t *testing.T) {
	r := newRig(t)
	r.publish()
	p := dialHTTP2(t, r.addr)
	p.must(openUnfinished(p, 0))
	block := strings.Repeat("\x00\x01x\x01y", http2FrameSize/5)
	sent := 0
	for ; sent < 4*mostDiscarded; sent += len(block) {
		if p.WriteContinuation(1, false, []byte(block)) != nil {
			break
		}
	}
	if sent > 32<<20 {
		t.Errorf("%d bytes are read and discarded", sent)
	}
}

// After its response, the stream of an upload is reset, so that the client stops sending.
func TestLinger_http2Upload(t *testing.T) {
	r := newRig(t)
	r.publish()
	p := dialHTTP2(t, r.addr)
	p.must(openPost(p, 0))
	if got := p.outcome(1); got != "404" {
		t.Fatalf("the upload ends with %s", got)
	}
	f := p.await("the reset", func(f http2.Frame) bool { return f.Header().Type == http2.FrameRSTStream })
	if code := f.(*http2.RSTStreamFrame).ErrCode; code != http2.ErrCodeNo {
		t.Errorf("the upload is reset with %s", code)
	}
	p.must(p.open(3, true, plain...))
	if got := p.outcome(3); got != "404" {
		t.Errorf("the next request ends with %s", got)
	}
}
