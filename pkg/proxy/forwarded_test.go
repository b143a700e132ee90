package proxy

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// asked sends a request with these lines and returns the head that the pod received.
func (r *rig) asked(p *pod, lines ...string) string {
	r.t.Helper()
	r.dial().get("/", lines...).expectStatus(r.t, 200)
	all := p.requests()
	return all[len(all)-1]
}

func (r *rig) port() string { return r.addr[strings.LastIndexByte(r.addr, ':')+1:] }

// expectFields checks that each of the lines is the only one of its name. "Name:" means that the field must be absent.
func expectFields(t *testing.T, head string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		got := strings.Join(fieldLines(head, name), " | ")
		if value == "" {
			line = ""
		}
		if got != line {
			t.Errorf("got %q, want %q", got, line)
		}
	}
}

// spoof are header lines with which a client may try to impersonate another one.
var spoof = []string{
	"X-Forwarded-For: 192.0.2.1", "x-forwarded-for: 192.0.2.2", "X-Real-IP: 192.0.2.1", "X-Forwarded-Proto: https",
	"X-Forwarded-Host: evil.example", "X-Forwarded-Port: 443", "X-Forwarded-Scheme: https", "X-Scheme: https",
	"X-Forwarded-Anything: evil", "X-Forwarded-Client-Cert: Hash=evil", "X-Forwarded-Server: evil", "X-Forwarded-Ssl: on", "X-Forwarded-Prefix: /admin",
	"Client-Cert: :ZXZpbA==:", "client-cert-chain: :ZXZpbA==:", "Forwarded: for=192.0.2.1;proto=https",
}

func TestForwarded_untrustedPeer(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for name, lines := range map[string][]string{
		"plain": spoof, "none": nil,
		"nominated by Connection": append([]string{
			"Connection: X-Forwarded-For, X-Real-IP, X-Forwarded-Proto, Forwarded, X-Forwarded-Host"}, spoof...),
		"underscores": {"X_Forwarded_For: 192.0.2.1", "X_Real_Ip: 192.0.2.1", "X_FORWARDED_PROTO: https",
			"X-Forwarded_Host: evil.example", "X.Real.IP: 192.0.2.1", "X_Forwarded_Anything: evil", "Client_Cert: :ZXZpbA==:"},
	} {
		t.Run(name, func(t *testing.T) {
			head := r.asked(p, lines...)
			expectFields(t, head,
				"X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "X-Forwarded-Proto: http",
				"X-Forwarded-Host: shop.example", "X-Forwarded-Port: "+r.port(),
				`Forwarded: for=127.0.0.1;host="shop.example";proto=http`,
				"X-Forwarded-Scheme:", "X-Scheme:", "X-Forwarded-Server:", "X-Forwarded-Ssl:", "X-Forwarded-Prefix:", "Client-Cert:", "Client_Cert:",
				"Client-Cert-Chain:")
			if strings.Contains(head, "192.0.2.1") || strings.Contains(head, "evil") {
				t.Errorf("the pod was sent %q", head)
			}
		})
	}
}

func TestForwarded_trustedProxy(t *testing.T) {
	r := newRig(t, trusting())
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	expectFields(t, r.asked(p, spoof...),
		"X-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1", "X-Real-IP: 192.0.2.2", "X-Forwarded-Proto: https",
		"X-Forwarded-Host: evil.example", "X-Forwarded-Port: 443", "X-Forwarded-Prefix: /admin",
		`Forwarded: for=192.0.2.1;host="evil.example";proto=https, for=192.0.2.2, for=127.0.0.1`)
	expectFields(t, r.asked(p, "X-Forwarded-Proto: gopher"), "X-Forwarded-Proto: http",
		"X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1")
}

func TestClientAddress_lastUntrusted(t *testing.T) {
	r := newRig(t, trusting("10.0.0.0/8", "2001:db8:1::/48"))
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"none", nil, "127.0.0.1"},
		{"one", []string{"192.0.2.1"}, "192.0.2.1"},
		{"what it claims itself", []string{"203.0.113.7, 192.0.2.1"}, "192.0.2.1"},
		{"trusted ones behind it", []string{"203.0.113.7, 192.0.2.1, 10.0.0.1,10.0.0.2"}, "192.0.2.1"},
		{"over several fields", []string{"203.0.113.7", "192.0.2.1", "10.0.0.1", "10.0.0.2"}, "192.0.2.1"},
		{"all trusted", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"with a port", []string{"192.0.2.1:4711"}, "192.0.2.1"},
		{"IPv6", []string{"2001:db8:2::1"}, "2001:db8:2::1"},
		{"IPv6 with a port", []string{"[2001:db8:2::1]:4711, 2001:db8:1::5"}, "2001:db8:2::1"},
		{"IPv4 in IPv6", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"empty elements", []string{" , 192.0.2.1, ,", ""}, "192.0.2.1"},
		{"junk before", []string{"junk, 192.0.2.1"}, "192.0.2.1"},
		{"junk behind", []string{"192.0.2.1, unknown"}, "127.0.0.1"},
		{"junk behind a trusted one", []string{"192.0.2.1, junk, 10.0.0.1"}, "10.0.0.1"},
		{"a zone", []string{"fe80::1%eth0"}, "127.0.0.1"},
		{"an open bracket", []string{"[2001:db8::1"}, "127.0.0.1"},
		{"a bracket only", []string{"["}, "127.0.0.1"},
		{"a colon only", []string{":"}, "127.0.0.1"},
		{"very long", []string{strings.Repeat("1", 1000)}, "127.0.0.1"},
	} {
		p := startEcho(t, "pod-a")
		r.serve(nil, p)
		var lines []string
		for _, f := range c.fields {
			lines = append(lines, "X-Forwarded-For: "+f)
		}
		if got := fieldLines(r.asked(p, lines...), "X-Real-IP"); len(got) != 1 || got[0] != "X-Real-IP: "+c.want {
			t.Errorf("%s: %q, want %s", c.name, got, c.want)
		}
	}
}

// Both families of fields state the same, whichever of them the trusted proxy sets.
func TestForwarded_familiesAgree(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []http1.FieldID
		sent    []string
		want    []string
	}{
		{
			"X-Forwarded", []http1.FieldID{http1.FieldXForwardedFor},
			[]string{"X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: HTTPS, http", "X-Forwarded-Host: www.example.com"},
			[]string{
				"X-Forwarded-For: 203.0.113.7, 127.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: www.example.com",
				"X-Forwarded-Port: 443", `Forwarded: for=203.0.113.7;host="www.example.com";proto=https, for=127.0.0.1`,
			},
		},
		{
			"X-Forwarded with a Forwarded of the client", []http1.FieldID{http1.FieldXForwardedFor},
			[]string{"X-Forwarded-For: , unknown,[2001:db8::7]:99", "Forwarded: for=192.0.2.1;proto=https;host=evil.example"},
			[]string{
				"X-Forwarded-For: , unknown,[2001:db8::7]:99, 127.0.0.1", "X-Forwarded-Proto: http", "X-Real-IP: 2001:db8::7",
				`Forwarded: for=unknown;host="shop.example";proto=http, for="[2001:db8::7]", for=127.0.0.1`,
			},
		},
		{
			"Forwarded", []http1.FieldID{http1.FieldForwarded},
			[]string{
				"Forwarded: for=_x, for=203.0.113.7;proto=https;host=www.example.com", `Forwarded: for="10.0.0.1:80"`,
				"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http", "X-Forwarded-Scheme: http", "X-Scheme: HTTPS",
				"X-Forwarded-Ssl: off",
			},
			[]string{
				"X-Forwarded-For: unknown, 203.0.113.7, 10.0.0.1, 127.0.0.1", "X-Forwarded-Proto: https",
				"X-Real-IP: 203.0.113.7", "X-Forwarded-Host: www.example.com", "X-Forwarded-Port: 443",
				`Forwarded: for=unknown;host="www.example.com";proto=https, for=203.0.113.7, for=10.0.0.1, for=127.0.0.1`,
				"X-Forwarded-Scheme:", "X-Scheme: HTTPS", "X-Forwarded-Ssl:",
			},
		},
		{
			"X-Real-IP", []http1.FieldID{http1.FieldXRealIP},
			[]string{"X-Real-IP: 203.0.113.7", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"},
			[]string{
				"X-Forwarded-For: 203.0.113.7, 127.0.0.1", "X-Real-IP: 203.0.113.7", "X-Forwarded-Proto: https",
				`Forwarded: for=203.0.113.7;host="shop.example";proto=https, for=127.0.0.1`,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, trusting("10.0.0.0/8"), reading(c.headers...))
			p := startEcho(t, "pod-a")
			r.serve(nil, p)
			expectFields(t, r.asked(p, c.sent...), c.want...)
		})
	}
}

// Fields about the client's connection, and fields meant to deceive servers, are not forwarded.
func TestHopByHop_requestFields(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	head := r.asked(p, "Connection: X-Hop, keep-alive", "X-Hop: a", "Keep-Alive: timeout=5",
		"Proxy-Connection: keep-alive",
		"Proxy-Authorization: Basic eA==", "Proxy: evil", "TE: trailers, gzip", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk",
		"Content_Length: 5", "Transfer_Encoding: chunked", "User-Agent: test", "Authorization: Bearer x", "X-Hop-2: kept")
	expectFields(t, head, "X-Hop:", "Keep-Alive:", "Proxy-Connection:", "Proxy-Authorization:", "Proxy:", "Upgrade:",
		"HTTP2-Settings:", "Content_Length:", "Transfer_Encoding:", "TE: trailers", "Connection: TE",
		"User-Agent: test", "Authorization: Bearer x", "X-Hop-2: kept", "Host: shop.example")
}

func TestPathSpelling_forwarded(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for target, want := range map[string]string{
		"/":                                 "/",
		"/a/./b/../c?x=../y":                "/a/c?x=../y",
		"/%61%2f%2F%7e":                     "/a%2F%2F~",
		"/a//b":                             "/a//b",
		"/a?":                               "/a?",
		"http://SHOP.example/a%20b":         "/a%20b",
		"http://shop.example":               "/",
		"/" + strings.Repeat("%61", 1000):   "/" + strings.Repeat("a", 1000),
		"/x/" + strings.Repeat("a/../", 99): "/x/",
	} {
		r.dial().get(target).expectStatus(t, 200)
		all := p.requests()
		if got := strings.Fields(all[len(all)-1])[1]; got != want {
			t.Errorf("%.60s went as %.60s, want %.60s", target, got, want)
		}
	}
	client := r.dial()
	client.send("OPTIONS * HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	client.read("OPTIONS").expectStatus(t, 200)
	all := p.requests()
	if got := all[len(all)-1]; !strings.HasPrefix(got, "OPTIONS * HTTP/1.1\r\n") {
		t.Errorf("the asterisk went as %q", got)
	}
}

func TestHost_caseAndPort(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.replace(cart, endpointsOf(p)...)
	route := routeTo(cart, nil)
	route.Host = "shop.example"
	r.publish(route)
	for host, status := range map[string]int{
		"shop.example": 200, "SHOP.Example": 200, "shop.example:8080": 200, "shop.example.": 200, "Shop.Example.:80": 200,
		"other.example": 404, "shop.example.evil": 404, "[::1]": 404, "[::1]:80": 404, "192.0.2.1": 404,
	} {
		client := r.dial()
		client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		if a := client.read("GET"); a.status != status {
			t.Errorf("Host %s: got %d, want %d", host, a.status, status)
		}
	}
	for _, head := range p.requests() {
		if got := fieldLines(head, "Host"); len(got) != 1 {
			t.Errorf("the pod was sent %q", got)
		}
	}
}
