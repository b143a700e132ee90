package proxy

import (
	"strings"
	"testing"
)

// downgrade is one request of HTTP/2, and what must become of it in HTTP/1.1. Fields are added to those of a plain GET,
// or take their place; "-" leaves one out.
type downgrade struct {
	name   string
	fields []string // name, value, ...
	want   string   // status, or refused
	pod    string   // all that the pod may see of it
}

// refused is the result of malformed messages: RFC 9113 section 8.1.1 allows a response before their stream is closed.
const refused = "400 or reset"

var downgrades = []downgrade{
	{name: "plain", want: "200", pod: seen},
	{name: "cookies in pieces", fields: []string{"cookie", "a=b", "cookie", "c=d; e=f", "cookie", "g=h"},
		want: "200", pod: pod200("Cookie: a=b; c=d; e=f; g=h")},
	{name: "lower case names", fields: []string{"x-a", "b"}, want: "200", pod: pod200("x-a: b")},
	{name: "method that is no token", fields: []string{":method", "GET /b HTTP/1.1\r\nHost: b\r\n\r\nGET"}, want: refused},
	{name: "method with a space", fields: []string{":method", "GET /b"}, want: refused},
	{name: "CONNECT", fields: []string{":method", "CONNECT", ":authority", "evil:25", ":path", "-", ":scheme", "-"}, want: "405"},
	{name: "TRACE", fields: []string{":method", "TRACE"}, want: "405"},
	{name: "CONNECT with a path", fields: []string{":method", "CONNECT"}, want: refused},

	{name: "splitting through the path", fields: []string{":path", "/ HTTP/1.1\r\nHost: b\r\n\r\nGET /b"}, want: refused},
	{name: "LF in the path", fields: []string{":path", "/a\nb"}, want: refused},
	{name: "NUL in the path", fields: []string{":path", "/a\x00b"}, want: refused},
	{name: "version in the path", fields: []string{":path", "/ HTTP/1.1"}, want: refused},
	{name: "space in the path", fields: []string{":path", "/a b"}, want: refused},
	{name: "tab in the path", fields: []string{":path", "/a\tb"}, want: refused},
	{name: "UTF-8 in the path", fields: []string{":path", "/caf\xc3\xa9"}, want: "200", pod: for1Seen("/caf%C3%A9")},
	{name: "other bytes above ASCII in the path", fields: []string{":path", "/caf\xe9"}, want: refused},
	{name: "UTF-8 too long when encoded", fields: []string{":path", "/" + strings.Repeat("\xc3\xa9", 3<<10)}, want: "414"},
	{name: "fragment in the path", fields: []string{":path", "/a#b"}, want: refused},
	{name: "backslash in the path", fields: []string{":path", "/a\\..\\b"}, want: refused},
	{name: "bad escape in the path", fields: []string{":path", "/%zz"}, want: refused},
	{name: "path above the root", fields: []string{":path", "/../b"}, want: refused},
	{name: "absolute-form in the path", fields: []string{":path", "http://b/c"}, want: refused},
	{name: "authority-form in the path", fields: []string{":path", "b:80"}, want: refused},
	{name: "asterisk-form of GET", fields: []string{":path", "*"}, want: refused},
	{name: "asterisk-form of OPTIONS", fields: []string{":method", "OPTIONS", ":path", "*"}, want: "200",
		pod: "OPTIONS * HTTP/1.1\r\n" + hostLine + who + "\r\n"},
	{name: "query and nothing before it", fields: []string{":path", "?a=b"}, want: refused},
	{name: "empty path", fields: []string{":path", ""}, want: refused},
	{name: "no path", fields: []string{":path", "-"}, want: refused},
	{name: "dot segments and escapes", fields: []string{":path", "/%61/./b/../c%2f"}, want: "200", pod: for1Seen("/a/c%2F")},

	{name: "no authority", fields: []string{":authority", "-"}, want: refused},
	{name: "empty authority", fields: []string{":authority", ""}, want: refused},
	{name: "splitting through the authority", fields: []string{":authority", "a.example\r\nX: y"}, want: refused},
	{name: "NUL in the authority", fields: []string{":authority", "a\x00b"}, want: refused},
	{name: "space in the authority", fields: []string{":authority", "a.example b"}, want: refused},
	{name: "user in the authority", fields: []string{":authority", "b@a.example"}, want: refused},
	{name: "path in the authority", fields: []string{":authority", "a.example/b"}, want: refused},
	{name: "two ports in the authority", fields: []string{":authority", "a:80:80"}, want: refused},
	{name: "host instead of the authority", fields: []string{":authority", "-", "host", "a.example"}, want: "200", pod: seen},
	{name: "another host beside the authority", fields: []string{"host", "b.example"}, want: refused},
	{name: "POST without a body", fields: []string{":method", "POST"}, want: "200", pod: framed("", "Content-Length: 0", "")},
	{name: "host beside the same authority", fields: []string{"host", "a.example"}, want: "200", pod: seen},
	{name: "two hosts instead of the authority", fields: []string{":authority", "-", "host", "a.example", "host", "b.example"}, want: refused},

	{name: "transfer-encoding", fields: []string{"transfer-encoding", "chunked"}, want: refused},
	{name: "connection", fields: []string{"connection", "close"}, want: refused},
	{name: "keep-alive", fields: []string{"keep-alive", "timeout=5"}, want: refused},
	{name: "proxy-connection", fields: []string{"proxy-connection", "keep-alive"}, want: refused},
	{name: "upgrade", fields: []string{"upgrade", "websocket"}, want: refused},
	{name: "te", fields: []string{"te", "trailers, chunked"}, want: refused},
	{name: "te trailers", fields: []string{"te", "trailers"}, want: "200", pod: get + hostLine + who + "TE: trailers\r\nConnection: TE\r\n\r\n"},
	{name: "two lengths", fields: []string{"content-length", "1", "content-length", "2"}, want: refused},
	{name: "two equal lengths", fields: []string{":method", "POST", "content-length", "0", "content-length", "0"}, want: "200",
		pod: framed("", "Content-Length: 0", "")},
	{name: "trailer that announces a length", fields: []string{"trailer", "content-length"}, want: refused},
	{name: "length of a body that does not come", fields: []string{":method", "POST", "content-length", "5"}, want: refused},
	{name: "length that is no number", fields: []string{"content-length", "0x0"}, want: refused},

	{name: "CR LF in a value", fields: []string{"x", "a\r\nb: c"}, want: refused},
	{name: "a request in a value", fields: []string{"x", "a\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n"}, want: refused},
	{name: "CR in a value", fields: []string{"x", "a\rb"}, want: refused},
	{name: "LF in a value", fields: []string{"x", "a\nb"}, want: refused},
	{name: "NUL in a value", fields: []string{"x", "a\x00b"}, want: refused},
	{name: "CR LF in a name", fields: []string{"x\r\ny", "a"}, want: refused},
	{name: "colon in a name", fields: []string{"x: y", "a"}, want: refused},
	{name: "space in a name", fields: []string{"x y", "a"}, want: refused},
	{name: "name in capitals", fields: []string{"X-A", "b"}, want: refused},
	{name: "empty name", fields: []string{"", "b"}, want: refused},
	{name: "no method", fields: []string{":method", "-"}, want: refused},
	{name: "empty method", fields: []string{":method", ""}, want: refused},
	{name: "no scheme", fields: []string{":scheme", "-"}, want: refused},
	{name: "two methods", fields: []string{":method:again", "GET"}, want: refused},
	{name: "an empty method and another", fields: []string{":method", "", ":method:again", "GET"}, want: refused},
	{name: "scheme with an authority", fields: []string{":scheme", "https://evil.example/?"}, want: refused},
	{name: "empty scheme", fields: []string{":scheme", ""}, want: refused},
	{name: "scheme with a space", fields: []string{":scheme", "http "}, want: refused},
	{name: "scheme with a colon", fields: []string{":scheme", "http:"}, want: refused},
	{name: "scheme that starts with a digit", fields: []string{":scheme", "1http"}, want: refused},
	{name: "scheme above ASCII", fields: []string{":scheme", "http\xc3\xa9"}, want: refused},
	{name: "another scheme", fields: []string{":scheme", "coap+tcp"}, want: "200", pod: seen},
	{name: "scheme in capitals", fields: []string{":scheme", "HTTPS"}, want: "200", pod: seen},
	{name: "two schemes", fields: []string{":scheme:again", "http"}, want: refused},
	{name: "two authorities", fields: []string{":authority:again", "a.example"}, want: refused},
	{name: "two paths", fields: []string{":path:again", "/"}, want: refused},
	{name: "pseudo field after a field", fields: []string{"x", "y", ":path:again", "/"}, want: refused},
	{name: "pseudo field in capitals", fields: []string{":Path:again", "/"}, want: refused},
	{name: "nothing but a colon", fields: []string{":", "a"}, want: refused},
	{name: "protocol without CONNECT", fields: []string{":protocol:again", "websocket"}, want: refused},
	{name: "CONNECT with a scheme", fields: []string{":method", "CONNECT", ":path", "-"}, want: refused},
	{name: "CONNECT without an authority", fields: []string{":method", "CONNECT", ":authority", "-", ":path", "-", ":scheme", "-"},
		want: refused},
	{name: "a pseudo field that there is not", fields: []string{":status", "200"}, want: refused},
	{name: "a pseudo field twice", fields: []string{":path", "/", ":path:again", "/b"}, want: refused},
	{name: "fields of responses only, and look-alikes", fields: []string{"x_forwarded_for", "192.0.2.1", "content_length", "5", "proxy", "b"}, want: "200", pod: seen},
	{name: "spoofed client", fields: []string{"x-forwarded-for", "192.0.2.1", "forwarded", "for=192.0.2.1", "x-real-ip", "192.0.2.1"}, want: "200", pod: seen},
}

func TestRawHTTP2_oneRequestOrRefused(t *testing.T) {
	r := newRig(t)
	p := startRecorder(t)
	for _, c := range downgrades {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			r.serve(nil, p.pod)
			if got := rawHTTP2(t, r.addr, c.block()...); !strings.Contains(c.want, got) {
				t.Errorf("got %s, want %s", got, c.want)
			}
			r.replace(cart)
			eventually(t, "the pod's connections to end", func() bool { return p.connections() == 0 })
			if got := r.withoutWho(p.take()); got != c.pod {
				t.Errorf("the pod was sent\n%q, want\n%q", got, c.pod)
			}
		})
	}
}

// block returns all fields, pseudo fields first.
func (c *downgrade) block() []string {
	block := []string{":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"}
	for i := 0; i < len(c.fields); i += 2 {
		name, value := c.fields[i], c.fields[i+1]
		switch at := indexField(block, name); {
		case at < 0:
			block = append(block, strings.TrimSuffix(name, ":again"), value)
		case value == "-":
			block = append(block[:at], block[at+2:]...)
		default:
			block[at+1] = value
		}
	}
	return block
}

// indexField finds a pseudo field, -1 for any other one.
func indexField(block []string, name string) int {
	for i := 0; i < len(block); i += 2 {
		if block[i] == name && strings.HasPrefix(name, ":") {
			return i
		}
	}
	return -1
}

// rawHTTP2 sends one request with just these fields, and returns the status, or "reset".
func rawHTTP2(t *testing.T, addr string, fields ...string) string {
	t.Helper()
	p := dialHTTP2(t, addr)
	defer p.conn.Close()
	p.must(p.open(1, true, fields...))
	if got := p.outcome(1); len(got) == len("200") {
		return got
	}
	return "reset"
}
