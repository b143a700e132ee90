package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

func serverHeader(name string) func(*Options) {
	return func(o *Options) { o.ServerHeader = name }
}

// headersOf requests a path over HTTP/1.1 and over HTTP/2, and returns the headers of the responses.
func (r *rig) headersOf(path string) []http.Header {
	r.t.Helper()
	first := r.dial().get(path).header
	return []http.Header{first, do(r.t, http2Client(r.t), newRequest(r.t, "GET", "http://"+r.addr+path, nil)).header}
}

func TestResponse_dateAndServer(t *testing.T) {
	r := newRig(t, serverHeader("limpet"))
	r.serve(nil, startEcho(t, "pod-a"))
	for _, h := range append(r.headersOf("/"), r.headersOf("/%00")...) {
		at, err := http.ParseTime(h.Get("Date"))
		if err != nil || time.Since(at).Abs() > testTimeout || len(h["Date"]) != 1 {
			t.Errorf("Date is %q: %v", h["Date"], err)
		}
		if !slices.Equal(h["Server"], []string{"limpet"}) {
			t.Errorf("Server is %q", h["Server"])
		}
	}
}

func TestResponse_podServerHeader(t *testing.T) {
	const date = "Sun, 06 Nov 1994 08:49:37 GMT"
	r := newRig(t, serverHeader("limpet"))
	r.serve(nil, startAnswering(t, "pod-a", okHead+"Date: "+date+"\r\nServer: app\r\nContent-Length: 0\r\n\r\n"))
	for _, h := range r.headersOf("/") {
		if got := fmt.Sprint(h["Date"], h["Server"]); got != "["+date+"] [app]" {
			t.Errorf("got %s", got)
		}
	}
}

func TestServerHeader_empty(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	for _, h := range r.headersOf("/") {
		if got, ok := h["Server"]; ok {
			t.Errorf("Server is %q", got)
		}
	}
}

func Test405_allowHeader(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for _, method := range []string{"TRACE", "CONNECT", "trace"} {
		client := r.dial()
		client.send(request(method, "/", ""))
		a := client.read(method)
		a.expectStatus(t, 405)
		if got := a.header.Get("Allow"); got != "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" {
			t.Errorf("Allow is %q", got)
		}
	}
	if got := p.requests(); len(got) > 0 {
		t.Errorf("the pod was sent %q", got)
	}
}
