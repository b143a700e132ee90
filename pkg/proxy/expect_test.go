package proxy

import (
	"io"
	"strings"
	"testing"
)

const expecting = "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"

func TestExpect_podDecides(t *testing.T) {
	r := newRig(t)
	p := startPod(t, "pod-a", func(c *podConn) {
		for req := c.request(); req != nil; req = c.request() {
			if req.Header.Get("Expect") == "" {
				c.answer("was not asked")
				continue
			}
			c.say("HTTP/1.1 100 Continue\r\n\r\n")
			body, _ := io.ReadAll(req.Body)
			c.answer(string(body))
		}
	})
	r.serve(nil, p)
	client := r.dial()
	for range 3 {
		client.send(expecting)
		client.expect("HTTP/1.1 100 Continue\r\n\r\n")
		client.send("body")
		a := client.read("POST")
		a.expectOK(t, "body")
		if a.close {
			t.Fatal("the connection is closed")
		}
	}
}

// After a final response the client may send the body or omit it. Limpet cannot distinguish the body from the next
// request, so it closes the connection.
func TestExpect_finalResponseCloses(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
		c.untilClosed()
	}))
	client := r.dial()
	client.send(expecting)
	a := client.read("POST")
	a.expectStatus(t, 401)
	if !a.close {
		t.Error("the response has no Connection: close")
	}
	client.expectClosed()
}

func TestExpect_podIgnores100Continue(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.send(expecting)
	eventually(t, "the head to arrive", func() bool { return len(p.requests()) == 1 })
	client.send("body") // clients do, after a second or so
	client.read("POST").expectOK(t, "body")
}

func TestExpect_onlyIfRequested(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		for c.request() != nil {
			c.say("HTTP/1.1 100 Continue\r\n\r\n")
			c.answer("ok")
		}
	}))
	client := r.dial()
	client.get("/").expectOK(t, "ok")
	client.get("/", "Expect: 100-continue").expectOK(t, "ok") // there is no body to wait for
}

func TestInterim_forwarded(t *testing.T) {
	const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n"
	r := newRig(t)
	r.serve(cookieAffinity(), startPod(t, "pod-a", func(c *podConn) {
		for c.head() != "" {
			c.say(hints + "Connection: close\r\nKeep-Alive: 5\r\n\r\n" + hints + "\r\n")
			c.answer("ok")
		}
	}))
	client := r.dial()
	client.send(request("GET", "/", ""))
	client.expect(hints + "\r\n" + hints + "\r\n")
	a := client.read("GET")
	a.expectOK(t, "ok")
	if a.header.Get("Link") != "" || a.cookie(t) == "" {
		t.Errorf("the final response has %v", a.header)
	}
	client.send("GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n")
	if got := client.rest(); strings.Contains(got, "103") || !strings.HasSuffix(got, "ok") {
		t.Errorf("a client of HTTP/1.0 got %q", got)
	}
}

// Some clients wait for a 100 (Continue) without limit, and many apps never send it.
func TestExpect_podNeverContinues(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	for range 2 {
		client.send(expecting)
		client.expect("HTTP/1.1 100 Continue\r\n\r\n")
		client.send("body")
		a := client.read("POST")
		a.expectOK(t, "body")
		if a.close {
			t.Fatal("the connection is closed")
		}
	}
}

func TestExpect_podNeverContinuesHTTP2(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	p := dialHTTP2(t, r.addr)
	p.must(p.open(1, false, append([]string{":method", "POST"}, append(plain[2:], "expect", "100-continue")...)...))
	if got := p.outcome(1); got != "100" {
		t.Fatalf("first comes %s", got)
	}
	p.must(p.WriteData(1, true, []byte("body")))
	if got := p.outcome(1); got != "200" {
		t.Errorf("then comes %s", got)
	}
}

// The pod's own 100 (Continue) is not forwarded after Limpet has sent one.
func TestExpect_onlyOneContinue(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		for req := c.request(); req != nil; req = c.request() {
			body, _ := io.ReadAll(req.Body)
			c.say("HTTP/1.1 100 Continue\r\n\r\n")
			c.answer(string(body))
		}
	}))
	client := r.dial()
	client.send(expecting)
	client.expect("HTTP/1.1 100 Continue\r\n\r\n")
	client.send("body")
	client.read("POST").expectOK(t, "body")
}

// A client that does not wait receives no 100 (Continue) from Limpet, however slowly it sends.
func TestExpect_clientDoesNotWait(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.send(expecting + "bo")
	started := r.server.Clock()
	eventually(t, "a 100 (Continue) to be overdue", func() bool { return r.server.Clock() > started+1500 })
	client.send("dy")
	client.read("POST").expectOK(t, "body")
}
