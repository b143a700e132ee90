package proxy

import (
	"fmt"
	"strings"
	"testing"
)

func TestPipelining_order(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	var all strings.Builder
	const n = 50
	for i := range n {
		body := fmt.Sprintf("body %d", i)
		switch i % 4 {
		case 0:
			all.WriteString(request("POST", "/", body))
		case 1:
			all.WriteString(chunkedPost + chunked(body[:3], body[3:]))
		case 2:
			all.WriteString(request("GET", "/", ""))
		case 3:
			all.WriteString(request("POST", "/", strings.Repeat(body, 4000)))
		}
	}
	client := r.dial()
	go client.Conn.Write([]byte(all.String()))
	for i := range n {
		body := fmt.Sprintf("body %d", i)
		switch i % 4 {
		case 2:
			body = ""
		case 3:
			body = strings.Repeat(body, 4000)
		}
		client.read("GET").expectOK(t, body)
	}
}

// The second request must not begin before the response to the first has ended.
func TestPipelining_oneAtATime(t *testing.T) {
	r := newRig(t)
	p := startPod(t, "pod-a", func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			if c.Buffered() > 0 {
				c.say("HTTP/1.1 500 Pipelined\r\nContent-Length: 0\r\n\r\n")
				return
			}
			c.answer("ok")
		}
	})
	r.serve(nil, p)
	client := r.dial()
	client.send(strings.Repeat(request("GET", "/", ""), 20))
	for range 20 {
		client.read("GET").expectOK(t, "ok")
	}
	if got := p.accepted(); got != 1 {
		t.Errorf("the pod has seen %d connections, want 1", got)
	}
}

func TestPipelining_malformedSecondRequest(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.send(request("POST", "/", "body") + "smuggled\r\n\r\n" + request("GET", "/never", ""))
	client.read("POST").expectOK(t, "body")
	client.read("GET").expectStatus(t, 400)
	client.expectClosed()
	if got := len(p.requests()); got != 1 {
		t.Errorf("the pod was sent %d requests, want 1", got)
	}
}

// Bytes after the last request of a connection are not served, and do not destroy the response.
func TestPipelining_afterLastRequest(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.send(request("GET", "/", "", "Connection: close") + strings.Repeat(request("GET", "/never", ""), 100))
	client.read("GET").expectOK(t, "")
	client.expectClosed()
	if got := len(p.requests()); got != 1 {
		t.Errorf("the pod was sent %d requests, want 1", got)
	}
}

func TestClientHalfClose_afterLastRequest(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	client.send(request("GET", "/", "") + request("POST", "/", "body"))
	client.Conn.(interface{ CloseWrite() error }).CloseWrite()
	client.read("GET").expectOK(t, "")
	client.read("POST").expectOK(t, "body")
	client.expectClosed()
}
