package proxy

import (
	"strings"
	"testing"
)

const (
	get      = "GET / HTTP/1.1\r\n"
	post     = "POST / HTTP/1.1\r\n"
	hostLine = "Host: shop.example\r\n"
)

// What breaks HTTP is answered, and nothing of it reaches a pod; nobody knows where the next request would begin, so
// the connection is closed.
func TestAMalformedRequestIsRefusedAndTheConnectionClosed(t *testing.T) {
	for _, c := range []struct {
		name, text string
		status     int
	}{
		{"no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400},
		{"bare LF", "GET / HTTP/1.1\n" + hostLine + "\r\n", 400},
		{"bare CR", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", 400},
		{"NUL in a value", get + hostLine + "X: a\x00b\r\n\r\n", 400},
		{"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"two ports in Host", "GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", 400},
		{"absolute-form that disagrees", "GET http://other.example/ HTTP/1.1\r\n" + hostLine + "\r\n", 400},
		{"asterisk-form of GET", "GET * HTTP/1.1\r\n" + hostLine + "\r\n", 400},
		{"fragment", "GET /#a HTTP/1.1\r\n" + hostLine + "\r\n", 400},
		{"path above the root", "GET /a/../../b HTTP/1.1\r\n" + hostLine + "\r\n", 400},
		{"bad escape", "GET /%zz HTTP/1.1\r\n" + hostLine + "\r\n", 400},
		{"CONNECT", "CONNECT evil.example:25 HTTP/1.1\r\nHost: evil.example:25\r\n\r\n", 405},
		{"folded line", get + hostLine + "A: b\r\n c\r\n\r\n", 400},
		{"space before the colon", get + hostLine + "Content-Length : 3\r\n\r\nabc", 400},
		{"both lengths", post + hostLine + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two equal lengths", post + hostLine + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
		{"signed length", post + hostLine + "Content-Length: +3\r\n\r\nabc", 400},
		{"listed length", post + hostLine + "Content-Length: 3, 3\r\n\r\nabc", 400},
		{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\n" + hostLine + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"unknown coding", post + hostLine + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
		{"HTTP/2.0 by name", "GET / HTTP/2.0\r\n" + hostLine + "\r\n", 505},
		{"chunk size is no number, at once", chunkedPost + "xx\r\n", 400},
		{"chunk without its end, at once", chunkedPost + "1\r\nabc", 400},
		{"head too large", get + hostLine + "A: " + strings.Repeat("a", 70<<10) + "\r\n\r\n", 431},
		{"too many fields", get + hostLine + strings.Repeat("A: b\r\n", 200) + "\r\n", 431},
		{"target too long", "GET /" + strings.Repeat("a", 20<<10) + " HTTP/1.1\r\n" + hostLine + "\r\n", 414},
		{"expectation unknown", post + hostLine + "Content-Length: 1\r\nExpect: tea\r\n\r\n", 417},
	} {
		t.Run(c.name, func(t *testing.T) { expectRefused(t, c.text, c.status) })
	}
}

func expectRefused(t *testing.T, text string, status int) {
	t.Helper()
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.send(text)
	a := client.read("GET")
	a.expectStatus(t, status)
	if !a.close || a.err != nil {
		t.Errorf("the answer does not announce the close, or is not whole: %v", a.err)
	}
	client.expectClosed()
	if got := p.requests(); len(got) > 0 {
		t.Errorf("the pod was sent %q", got)
	}
}
