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
	want   string   // status, or "reset"
	pod    string   // all that the pod may see of it
}

var downgrades = []downgrade{
	{name: "plain", want: "200", pod: seen},
	{name: "lower case names", fields: []string{"x-a", "b"}, want: "200", pod: pod200("X-A: b")},
	{name: "method that is no token", fields: []string{":method", "GET /b HTTP/1.1\r\nHost: b\r\n\r\nGET"}, want: "reset"},
	{name: "method with a space", fields: []string{":method", "GET /b"}, want: "400"},
	{name: "CONNECT", fields: []string{":method", "CONNECT", ":authority", "evil:25", ":path", "-", ":scheme", "-"}, want: "405"},
	{name: "TRACE", fields: []string{":method", "TRACE"}, want: "405"},
	{name: "CONNECT with a path", fields: []string{":method", "CONNECT"}, want: "reset"},

	{name: "splitting through the path", fields: []string{":path", "/ HTTP/1.1\r\nHost: b\r\n\r\nGET /b"}, want: "reset"},
	{name: "LF in the path", fields: []string{":path", "/a\nb"}, want: "reset"},
	{name: "NUL in the path", fields: []string{":path", "/a\x00b"}, want: "reset"},
	{name: "version in the path", fields: []string{":path", "/ HTTP/1.1"}, want: "400"},
	{name: "space in the path", fields: []string{":path", "/a b"}, want: "400"},
	{name: "tab in the path", fields: []string{":path", "/a\tb"}, want: "reset"},
	{name: "above ASCII in the path", fields: []string{":path", "/caf\xc3\xa9"}, want: "400"},
	{name: "fragment in the path", fields: []string{":path", "/a#b"}, want: "400"},
	{name: "backslash in the path", fields: []string{":path", "/a\\..\\b"}, want: "400"},
	{name: "bad escape in the path", fields: []string{":path", "/%zz"}, want: "reset"},
	{name: "path above the root", fields: []string{":path", "/../b"}, want: "400"},
	{name: "absolute-form in the path", fields: []string{":path", "http://b/c"}, want: "400"},
	{name: "authority-form in the path", fields: []string{":path", "b:80"}, want: "400"},
	{name: "asterisk-form of GET", fields: []string{":path", "*"}, want: "400"},
	{name: "empty path", fields: []string{":path", ""}, want: "reset"},
	{name: "no path", fields: []string{":path", "-"}, want: "reset"},
	{name: "dot segments and escapes", fields: []string{":path", "/%61/./b/../c%2f"}, want: "200", pod: for1Seen("/a/c%2F")},

	{name: "no authority", fields: []string{":authority", "-"}, want: "400"},
	{name: "empty authority", fields: []string{":authority", ""}, want: "400"},
	{name: "splitting through the authority", fields: []string{":authority", "a.example\r\nX: y"}, want: "reset"},
	{name: "NUL in the authority", fields: []string{":authority", "a\x00b"}, want: "reset"},
	{name: "space in the authority", fields: []string{":authority", "a.example b"}, want: "400"},
	{name: "user in the authority", fields: []string{":authority", "b@a.example"}, want: "reset"},
	{name: "path in the authority", fields: []string{":authority", "a.example/b"}, want: "400"},
	{name: "two ports in the authority", fields: []string{":authority", "a:80:80"}, want: "400"},
	{name: "host instead of the authority", fields: []string{":authority", "-", "host", "a.example"}, want: "200", pod: seen},
	{name: "another host beside the authority", fields: []string{"host", "b.example"}, want: "400"},
	{name: "POST without a body", fields: []string{":method", "POST"}, want: "200", pod: framed("", "Content-Length: 0", "")},
	{name: "host beside the same authority", fields: []string{"host", "a.example"}, want: "200", pod: seen},
	{name: "two hosts instead of the authority", fields: []string{":authority", "-", "host", "a.example", "host", "b.example"}, want: "400"},

	{name: "transfer-encoding", fields: []string{"transfer-encoding", "chunked"}, want: "400"},
	{name: "connection", fields: []string{"connection", "close"}, want: "400"},
	{name: "keep-alive", fields: []string{"keep-alive", "timeout=5"}, want: "400"},
	{name: "proxy-connection", fields: []string{"proxy-connection", "keep-alive"}, want: "400"},
	{name: "upgrade", fields: []string{"upgrade", "websocket"}, want: "400"},
	{name: "te", fields: []string{"te", "trailers, chunked"}, want: "400"},
	{name: "te trailers", fields: []string{"te", "trailers"}, want: "200", pod: get + hostLine + who + "TE: trailers\r\nConnection: TE\r\n\r\n"},
	{name: "two lengths", fields: []string{"content-length", "1", "content-length", "2"}, want: "400"},
	{name: "length of a body that does not come", fields: []string{":method", "POST", "content-length", "5"}, want: "400"},
	{name: "length that is no number", fields: []string{"content-length", "0x0"}, want: "400"},

	{name: "CR LF in a value", fields: []string{"x", "a\r\nb: c"}, want: "reset"},
	{name: "a request in a value", fields: []string{"x", "a\r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n"}, want: "reset"},
	{name: "CR in a value", fields: []string{"x", "a\rb"}, want: "reset"},
	{name: "LF in a value", fields: []string{"x", "a\nb"}, want: "reset"},
	{name: "NUL in a value", fields: []string{"x", "a\x00b"}, want: "reset"},
	{name: "CR LF in a name", fields: []string{"x\r\ny", "a"}, want: "reset"},
	{name: "colon in a name", fields: []string{"x: y", "a"}, want: "reset"},
	{name: "space in a name", fields: []string{"x y", "a"}, want: "reset"},
	{name: "name in capitals", fields: []string{"X-A", "b"}, want: "reset"},
	{name: "empty name", fields: []string{"", "b"}, want: "reset"},
	{name: "a pseudo field that there is not", fields: []string{":status", "200"}, want: "reset"},
	{name: "a pseudo field twice", fields: []string{":path", "/", ":path:again", "/b"}, want: "reset"},
	{name: "what only answers say, and look-alikes", fields: []string{"x_forwarded_for", "192.0.2.1", "content_length", "5", "proxy", "b"}, want: "200", pod: seen},
	{name: "spoofed client", fields: []string{"x-forwarded-for", "192.0.2.1", "forwarded", "for=192.0.2.1", "x-real-ip", "192.0.2.1"}, want: "200", pod: seen},
}

func TestARequestOfHTTP2IsRefusedOrReachesThePodAsOneRequest(t *testing.T) {
	r := newRig(t)
	p := startRecorder(t)
	for _, c := range downgrades {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			r.serve(nil, p.pod)
			if got := rawHTTP2(t, r.addr, c.block()...); got != c.want {
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

// block gives all fields, pseudo fields first.
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

// rawHTTP2 sends one request with just these fields, and gives the status, or "reset".
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
