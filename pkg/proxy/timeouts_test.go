package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// soon is a timeout that a test lets pass, later one that it does not reach although it takes longer than that, farOff
// one that it never comes near.
const (
	soon   = 3 * sweepInterval
	later  = 20 * sweepInterval
	farOff = time.Minute
)

// only makes one of the timeouts short.
func only(which func(*exchange.Timeouts) *time.Duration) func(*Options) {
	return func(o *Options) {
		o.Timeouts = exchange.Timeouts{Head: farOff, Idle: farOff, Body: farOff, Dial: farOff, Response: farOff}
		*which(&o.Timeouts) = soon
	}
}

func head(o *exchange.Timeouts) *time.Duration    { return &o.Head }
func body(o *exchange.Timeouts) *time.Duration    { return &o.Body }
func silence(o *exchange.Timeouts) *time.Duration { return &o.Response }
func startSilent(t *testing.T) *pod {
	t.Helper()
	return startPod(t, "pod-a", func(c *podConn) { c.head(); c.untilClosed() })
}
func (c *caller) dribble(text string) {
	for _, b := range []byte(text) {
		if _, err := c.Conn.Write([]byte{b}); err != nil {
			return
		}
	}
}

func TestHeadTimeout_incompleteHead(t *testing.T) {
	r := newRig(t, only(head))
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	used := r.dial()
	used.get("/").expectOK(t, "")
	for _, client := range []*caller{r.dial(), used} {
		client.send("GET / HTTP/1.1\r\nHost: shop.example\r\n")
		a := client.read("GET")
		a.expectStatus(t, 408)
		if !a.close {
			t.Error("the response has no Connection: close")
		}
		client.expectClosed()
	}
	if got := len(p.requests()); got != 1 {
		t.Errorf("the pod was sent %d requests, want 1", got)
	}
}

// The head as a whole must come in time: a byte now and then does not buy more of it (slowloris).
func TestHeadTimeout_slowHead(t *testing.T) {
	r := newRig(t, only(head))
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		tick := time.NewTicker(soon / 10)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				client.dribble("a")
			}
		}
	}()
	client.read("GET").expectStatus(t, 408)
}

func TestBodyTimeout_responds408(t *testing.T) {
	for name, text := range map[string]string{
		"none of it":     announced,
		"not all of it":  announced + "some",
		"not all chunks": chunkedPost + "4\r\nsome\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, only(body))
			p := startSilent(t)
			r.serve(nil, p)
			client := r.dial()
			client.send(text)
			a := client.read("POST")
			a.expectStatus(t, 408)
			if !a.close {
				t.Error("the response has no Connection: close")
			}
			client.expectClosed()
			eventually(t, "the pod to notice", func() bool { return p.connections() == 0 })
		})
	}
}

// The timeout for a body applies to each piece of it, so that a long body may take any time. While it arrives, the pod
// is not required to respond.
func TestBodyTimeout_slowBody(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Timeouts = exchange.Timeouts{Head: farOff, Idle: farOff, Body: later, Dial: farOff, Response: later / 2}
	})
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	client.send(chunkedPost)
	tick := time.NewTicker(later / 20)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < later*3/2; <-tick.C {
		client.send("1\r\na\r\n")
	}
	client.send("0\r\n\r\n")
	a := client.read("POST")
	a.expectStatus(t, 200)
	if strings.Trim(a.body, "a") != "" || a.close {
		t.Errorf("got %q, close %v", a.body, a.close)
	}
}

// A client may pause for longer than a pod may be silent.
func TestResponseTimeout_clientPauses(t *testing.T) {
	r := newRig(t, only(silence), quick(func(o *exchange.Timeouts) { o.Response = later }))
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	client.send("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 4\r\n\r\nbo")
	end := r.server.After(later * 3 / 2)
	eventually(t, "time to pass", func() bool { return r.server.Clock() > end })
	client.send("dy")
	client.read("POST").expectOK(t, "body")
}

func TestResponseTimeout_responds504(t *testing.T) {
	for name, text := range map[string]string{
		"GET":  request("GET", "/", ""),
		"POST": request("POST", "/", "body"),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, only(silence))
			p := startSilent(t)
			r.serve(nil, p)
			client := r.dial()
			for range 2 { // the client's connection stays usable
				client.send(text)
				a := client.read("GET")
				a.expectStatus(t, 504)
				if a.close {
					t.Error("the connection is closed")
				}
			}
			if got := len(p.requests()); got != 2 {
				t.Errorf("the pod was sent %d requests, want 2: a late one is not repeated", got)
			}
		})
	}
}

func TestBodyTimeout_podStopsReading(t *testing.T) {
	r := newRig(t, only(silence), func(o *Options) { o.Timeouts.Body = 5 * soon })
	release := make(chan struct{})
	defer close(release)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) { c.head(); <-release }))
	client := r.dial()
	much := strings.NewReader(announced + strings.Repeat(mebibyte, 16))
	go io.Copy(client.Conn, much) // until the connection ends
	client.read("POST").expectStatus(t, 504)
}

func TestResponseTimeout_stalledBody(t *testing.T) {
	r := newRig(t, only(silence))
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n")
		c.untilClosed()
	}))
	a := r.dial().get("/")
	if a.err == nil || a.body != "body" {
		t.Errorf("got %q, %v", a.body, a.err)
	}
}

func TestResponseTimeout_slowResponse(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Response = later }))
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		tick := time.NewTicker(later / 20)
		defer tick.Stop()
		for began := time.Now(); time.Since(began) < later*3/2; <-tick.C {
			c.say("1\r\na\r\n")
		}
		c.say("0\r\n\r\n")
	}))
	client := r.dial()
	a := client.get("/")
	if a.err != nil || a.close || strings.Trim(a.body, "a") != "" {
		t.Errorf("got %q, %v, close %v", a.body, a.err, a.close)
	}
}

func TestBodyTimeout_clientDoesNotRead(t *testing.T) {
	r := newRig(t, only(body))
	p := startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\n\r\n")
		for c.say(mebibyte) {
		}
	})
	r.serve(nil, p)
	client := r.dial()
	client.send(request("GET", "/", ""))
	eventually(t, "the client to be given up", func() bool { return len(p.requests()) == 1 && r.server.conns.empty() })
	eventually(t, "the pod to notice", func() bool { return p.connections() == 0 })
}

func TestTunnel_stalledReader(t *testing.T) {
	r := newRig(t, only(body))
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		if c.head() != "" && c.say(switching) {
			for c.say(mebibyte) {
			}
		}
	}))
	r.upgrade("")
	eventually(t, "the stream to be given up", r.server.conns.empty)
}

func TestTunnel_idleStaysOpen(t *testing.T) {
	r := newRig(t, func(o *Options) {
		o.Timeouts = exchange.Timeouts{Head: later, Idle: later, Body: later, Dial: farOff, Response: later}
	})
	r.serve(nil, startSocket(t, ""))
	client, idler := r.upgrade(""), r.dial()
	idler.expectClosed() // by then all timeouts have passed
	r.dial().expectClosed()
	client.send("hello")
	client.expect("hello")
}
