package proxy

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestVia_onRequests(t *testing.T) {
	via := func(o *Options) { o.Via = "limpet" }
	r, addr := http3Rig(t, via)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	expect := func(what string, want ...string) {
		t.Helper()
		if got := fieldLines(strings.Join(p.takeRequests(), ""), "Via"); !slices.Equal(got, want) {
			t.Errorf("%s: the pod receives %q, want %q", what, got, want)
		}
	}
	client := r.dial()
	a := client.get("/")
	expect("HTTP/1.1", "Via: 1.1 limpet")
	if got := a.header.Get("Via"); got != "" {
		t.Errorf("the response has Via: %s", got)
	}
	client.get("/", "Via: 1.0 fred, 1.1 p.example")
	expect("after two proxies", "Via: 1.0 fred, 1.1 p.example", "Via: 1.1 limpet")
	client.send("GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n")
	client.read("GET")
	expect("HTTP/1.0", "Via: 1.0 limpet")
	do(t, http2Client(t), newRequest(t, http.MethodGet, "http://"+r.addr+"/", nil))
	expect("HTTP/2", "Via: 2 limpet")
	do(t, http3Client(t), newRequest(t, http.MethodGet, "https://"+addr+"/", nil))
	expect("HTTP/3", "Via: 3 limpet")
}

func TestVia_offByDefault(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	r.dial().get("/")
	if got := fieldLines(strings.Join(p.takeRequests(), ""), "Via"); len(got) > 0 {
		t.Errorf("the pod receives %q", got)
	}
}

func TestMaxForwards(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	for _, c := range []struct {
		method, target string
		fields         []string
		pod            []string // the Max-Forwards lines that the pod receives, nil if Limpet responds itself
	}{
		{"OPTIONS", "/", []string{"Max-Forwards: 0"}, nil},
		{"OPTIONS", "*", []string{"max-forwards: 00"}, nil},
		{"OPTIONS", "/", []string{"Max-Forwards: 1"}, []string{"Max-Forwards: 0"}},
		{"OPTIONS", "/", []string{"Max-Forwards: 10"}, []string{"Max-Forwards: 9"}},
		{"OPTIONS", "/", []string{"Max-Forwards: -1"}, []string{"Max-Forwards: -1"}},
		{"OPTIONS", "/", []string{"Max-Forwards: many"}, []string{"Max-Forwards: many"}},
		{"OPTIONS", "/", []string{"Max-Forwards: 0", "Max-Forwards: 1"}, []string{"Max-Forwards: 0", "Max-Forwards: 1"}},
		{"OPTIONS", "/", []string{"Max-Forwards: 99999999999999999999"}, []string{"Max-Forwards: 99999999999999999999"}},
		{"GET", "/", []string{"Max-Forwards: 0"}, []string{"Max-Forwards: 0"}},
	} {
		client.send(request(c.method, c.target, "", c.fields...))
		a := client.read(c.method)
		a.expectOK(t, "")
		heads := p.takeRequests()
		if len(heads) == 0 != (c.pod == nil) || len(heads) > 0 && !slices.Equal(fieldLines(heads[0], "Max-Forwards"), c.pod) {
			t.Errorf("%s with %q: the pod receives %q", c.method, c.fields, heads)
		}
		if got := a.header.Get("Allow"); c.pod == nil && (!strings.Contains(got, "OPTIONS") || a.header.Get("Content-Length") != "0") {
			t.Errorf("%s with %q: the response has %v", c.method, c.fields, a.header)
		}
	}
	client.send(request("TRACE", "/", "", "Max-Forwards: 0"))
	client.read("TRACE").expectStatus(t, 405)
}

// An HTTP/1.0 request without Host is for the name of the TLS handshake, and otherwise for the address of the listener.
func TestHost_missingInHTTP10(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	secure := r.listen(r.server.ServeTLS)
	for name, want := range map[string]string{"shop.example": "Host: shop.example", "": "Host: " + secure} {
		conn, err := tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true, ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		client := callOver(t, conn)
		client.send("GET / HTTP/1.0\r\n\r\n")
		client.read("GET").expectOK(t, "")
		if got := fieldLines(strings.Join(p.takeRequests(), ""), "Host"); !slices.Equal(got, []string{want}) {
			t.Errorf("with server name %q, the pod receives %q", name, got)
		}
	}
}
