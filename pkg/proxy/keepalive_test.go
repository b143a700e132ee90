package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

func TestKeepAlive_bothSides(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	for range 5 {
		client.get("/").expectOK(t, "")
		client.post("/", "body").expectOK(t, "body")
	}
	if got := p.accepted(); got != 1 {
		t.Errorf("the pod has seen %d connections, want 1", got)
	}
}

func TestKeepAlive_podSendsClose(t *testing.T) {
	for name, head := range map[string]string{
		"Connection: close":             "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.0":                      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"more bytes than were promised": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
		"a body with 204":               "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := startPod(t, "pod-a", func(c *podConn) {
				for c.head() != "" && c.say(head) {
				}
			})
			r.serve(nil, p)
			client := r.dial()
			for range 3 {
				if a := client.get("/"); a.status/100 != 2 || a.close {
					t.Fatalf("got %d, close %v", a.status, a.close)
				}
			}
			if got := p.accepted(); got != 3 {
				t.Errorf("the pod has seen %d connections, want 3", got)
			}
			eventually(t, "its connections to be closed", func() bool { return p.connections() == 0 })
		})
	}
}

// A pod closes a connection that has been idle too long, just before the next request comes.
func TestIdleUpstream_closedByPod(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			r := newRig(t)
			p := startEcho(t, "pod-a")
			r.serve(nil, p)
			client := r.dial()
			client.get("/")
			r.spoilIdle(p, p.closeAll)
			client.send(request(method, "/", ""))
			client.read(method).expectOK(t, "")
			if got := p.accepted(); got != 2 {
				t.Errorf("the pod has seen %d connections, want 2", got)
			}
		})
	}
}

// A pod that has ended its side of an idle connection, and reads on, would never respond there. Limpet must not wait for it.
func TestIdleUpstream_halfClosedByPod(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		for _, body := range []string{"", "body"} {
			t.Run(method+body, func(t *testing.T) {
				r := newRig(t)
				p, endSide := startHalfCloser(t, "pod-a")
				r.serve(nil, p)
				client := r.dial()
				client.get("/").expectOK(t, "")
				r.spoilIdle(p, endSide)
				client.send(request(method, "/", body))
				client.read(method).expectOK(t, body)
				if seen, opened := len(p.requests()), p.accepted(); seen != 2 || opened != 2 {
					t.Errorf("the pod has seen %d requests on %d connections, want 2 on 2", seen, opened)
				}
			})
		}
	}
}

// Limpet cannot detect that the pod closes while the request is in transit. The pod may have read the request.
func TestRetry_connectionLost(t *testing.T) {
	for _, c := range []struct {
		method, body string
		status, seen int
	}{
		{"GET", "", 200, 2},
		{"HEAD", "", 200, 2},
		{"OPTIONS", "", 200, 2},
		{"GET", "a body", 502, 1},
		{"POST", "", 502, 1},
		{"POST", "a body", 502, 1},
		{"DELETE", "", 502, 1},
		{"PUT", "", 502, 1},
	} {
		for how, end := range map[string]func(*podConn){"FIN": func(*podConn) {}, "RST": (*podConn).reset} {
			t.Run(c.method+c.body+" "+how, func(t *testing.T) {
				r := newRig(t)
				p := startPod(t, "pod-a", func(conn *podConn) {
					for i := 0; conn.head() != ""; i++ {
						if conn.nth == 1 && i == 1 {
							end(conn)
							return
						}
						conn.answer("")
					}
				})
				r.serve(nil, p)
				client := r.dial()
				client.get("/").expectOK(t, "")
				client.send(request(c.method, "/", c.body))
				client.read(c.method).expectStatus(t, c.status)
				if got := len(p.requests()) - 1; got != c.seen {
					t.Errorf("the pod was sent the request %d times, want %d", got, c.seen)
				}
			})
		}
	}
}

// A request that crashes its pod is not retried without end.
func TestAttempts_limitAfterSent(t *testing.T) {
	r := newRig(t)
	a := startPod(t, "pod-a", func(c *podConn) { c.head() })
	b := startPod(t, "pod-b", func(c *podConn) { c.head() })
	r.serve(nil, a, b)
	r.dial().get("/").expectStatus(t, 502)
	if got := len(a.requests()) + len(b.requests()); got != 2 {
		t.Errorf("the request was sent %d times, want 2", got)
	}
}

func TestKeepAlive_removedEndpoint(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	r.serve(nil, a)
	r.dial().get("/").expectOK(t, "")
	if a.connections() != 1 {
		t.Fatalf("pod-a has %d connections, want an idle one", a.connections())
	}
	r.replace(cart, endpointsOf(b)...)
	eventually(t, "pod-a to have no connections", func() bool { return a.connections() == 0 })
}

func TestKeepAlive_drainingEndpoint(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	r.serve(cookieAffinity(), a)
	client := r.dial()
	cookie := client.get("/").cookie(t)
	r.replace(cart, a.endpoint(model.EndpointDraining), b.endpoint(model.EndpointReady))
	client.get("/", cookie).expectOK(t, "")
	if a.accepted() != 1 || b.accepted() != 0 {
		t.Errorf("pod-a has seen %d connections and pod-b %d, want 1 and 0", a.accepted(), b.accepted())
	}
}

func TestEndpointRemoved_requestCompletes(t *testing.T) {
	r := newRig(t)
	release := make(chan struct{})
	a := startPod(t, "pod-a", func(c *podConn) {
		c.head()
		<-release
		c.answer("late")
		c.untilClosed()
	})
	r.serve(nil, a)
	client := r.dial()
	client.send(request("GET", "/", ""))
	eventually(t, "the request to arrive", func() bool { return len(a.requests()) == 1 })
	r.replace(cart)
	close(release)
	client.read("GET").expectOK(t, "late")
	eventually(t, "its connection to be closed", func() bool { return a.connections() == 0 })
}

// If they were treated as the response to the next request, one client would get a response meant for another.
func TestIdleUpstream_unsolicitedBytes(t *testing.T) {
	const stray = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"
	r := newRig(t)
	say := make(chan struct{})
	p := startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.answer("first")
		if c.nth == 1 {
			<-say
			c.say(stray)
		}
		c.untilClosed()
	})
	r.serve(nil, p)
	r.dial().get("/").expectOK(t, "first")
	r.spoilIdle(p, func() { close(say) })
	r.dial().get("/").expectOK(t, "first")
}

func TestKeepAlive_clientSendsClose(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	for _, text := range []string{
		request("GET", "/", "", "Connection: close"),
		"GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n",
		request("POST", "/", "body", "Connection: close"),
	} {
		client := r.dial()
		client.send(text)
		if a := client.read("GET"); !a.close || a.err != nil {
			t.Errorf("%.20q: close %v, %v", text, a.close, a.err)
		}
		client.expectClosed()
	}
}

func TestIdleTimeout_closesSilently(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Idle = time.Second }))
	r.serve(nil, startEcho(t, "pod-a"))
	fresh, used := r.dial(), r.dial()
	used.get("/").expectOK(t, "")
	fresh.expectClosed()
	used.expectClosed()
}

// Reading the body is interrupted when an attempt is over; the connection of a client whose body was read must not
// keep the mark of it.
func TestKeepAlive_afterLateBody(t *testing.T) {
	r := newRig(t)
	p := startPod(t, "pod-a", func(c *podConn) {
		if req := c.request(); req != nil {
			io.Copy(io.Discard, req.Body)
			c.say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	r.serve(nil, p)
	client := r.dial()
	for i := range 20 {
		client.send("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 4\r\n\r\n")
		eventually(t, "the head to arrive", func() bool { return len(p.requests()) > i })
		client.send("body")
		a := client.read("POST")
		a.expectOK(t, "ok")
		if a.close {
			t.Fatal("the connection is closed after the response")
		}
	}
}

func TestRequestHead_inPieces(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	for _, text := range strings.SplitAfter(request("POST", "/pieces", "body"), "\r") {
		client.send(text)
	}
	client.read("POST").expectOK(t, "body")
}
