package http1

import (
	"strings"
	"testing"
)

func TestForwardRequestField(t *testing.T) {
	raw := post("Accept: */*", "Cookie: a=b", "X-Own: 1",
		"Connection: close, X-Hop, TE, X-Real-IP, Cookie, X-Forwarded-For, Content-Length, Host, Accept",
		"X-Hop: 1", "x-hop: 2",
		"Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: trailers", "Upgrade: h2c", "HTTP2-Settings: AAM",
		"Proxy-Authorization: Basic x", "Proxy: http://evil.example", "Content-Length: 1", "Trailer: X",
		"X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1",
		"X_Forwarded_For: 6", "X_Real-IP: 6", "Content_Length: 6", "Transfer.Encoding: chunked", "Co_okie: 1", "my_own: 1")
	want := "Accept: */*\nCookie: a=b\nX-Own: 1\nX-Forwarded-For: 192.0.2.1\nX-Real-IP: 192.0.2.1\nCo_okie: 1\nmy_own: 1\n"
	if got := forwardedRequest(t, raw); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestForward_trailerAndExpect(t *testing.T) {
	for _, tc := range []struct{ name, raw, want string }{
		{"Trailer of a chunked body", post("Transfer-Encoding: chunked", "Trailer: X"), "Trailer: X\n"},
		{"Trailer without", post("Trailer: X"), ""},
		{"Expect with a body", post("Content-Length: 1", "Expect: 100-continue"), "Expect: 100-continue\n"},
		{"Expect without", post("Expect: 100-continue"), ""},
		{"Expect of HTTP/1.0", head("POST / HTTP/1.0", "Host: a", "Content-Length: 1", "Expect: 100-continue"), ""},
	} {
		if got := forwardedRequest(t, tc.raw); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func forwardedRequest(t *testing.T, raw string) string {
	t.Helper()
	var r Request
	lim := DefaultLimits()
	if _, err := ParseRequest(&r, []byte(raw), &lim); err != nil {
		t.Fatal(err)
	}
	var kept []Field
	for i := range r.Fields {
		if ForwardRequestField(&r.Fields[i], &r) {
			kept = append(kept, r.Fields[i])
		}
	}
	return fieldLines(kept)
}

func TestForwardResponseField(t *testing.T) {
	raw := ok("Server: x", "Set-Cookie: a=b", "set-cookie: c=d", "Connection: X-Hop, Set-Cookie", "X-Hop: 1",
		"Keep-Alive: timeout=5", "Transfer-Encoding: chunked", "Trailer: X-Sum", "Upgrade: h2c", "Proxy-Authenticate: Basic",
		"Proxy-Connection: close", "my_own: 1", "Content-Type: text/plain")
	var r Response
	if _, err := parseResponse(&r, []byte(raw), ""); err != nil {
		t.Fatal(err)
	}
	var kept []Field
	for i := range r.Fields {
		if ForwardResponseField(&r.Fields[i], &r) {
			kept = append(kept, r.Fields[i])
		}
	}
	want := "Server: x\nSet-Cookie: a=b\nset-cookie: c=d\nTrailer: X-Sum\nmy_own: 1\nContent-Type: text/plain\n"
	if got := fieldLines(kept); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestForwardTrailer(t *testing.T) {
	var r Response
	if _, err := parseResponse(&r, []byte(ok("Transfer-Encoding: chunked", "Connection: X-Hop")), ""); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"Grpc-Status": true, "X-Sum": true,
		"Content-Length": false, "Transfer-Encoding": false, "Host": false, "Set-Cookie": false, "Authorization": false,
		"Content-Type": false, "Cache-Control": false, "X-Forwarded-For": false, "Connection": false, "Trailer": false,
		"Content_Length": false, "x-hop": false,
	} {
		f := Field{Name: []byte(name), ID: NameID([]byte(name))}
		if got := ForwardTrailer(&f, &r.Message); got != want {
			t.Errorf("%s: got %t, want %t", name, got, want)
		}
	}
}

func TestFieldID_AboutClient(t *testing.T) {
	for id := FieldHost; id < fieldIDs; id++ {
		name := id.String()
		want := strings.HasPrefix(name, "X-Forwarded") || name == "Forwarded" || name == "X-Real-Ip" || name == "X-Scheme" ||
			strings.HasPrefix(name, "Client-Cert")
		if id.AboutClient() != want {
			t.Errorf("%s: got %t, want %t", name, !want, want)
		}
	}
	if !FieldForwardedOther.AboutClient() {
		t.Error("X-Forwarded-Anything is not about the client")
	}
	if FieldOther.AboutClient() {
		t.Error("any field is about the client")
	}
}
