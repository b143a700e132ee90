package proxy

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// crossing is a connection to a pod that is closed after the last look at it, and before anything is written.
type crossing struct {
	net.Conn
	raw crossingSocket
}

func (c *crossing) SyscallConn() (syscall.RawConn, error) { return &c.raw, nil }

type crossingSocket struct {
	syscall.RawConn
	looks int
	end   func()
}

func (s *crossingSocket) Read(f func(fd uintptr) bool) error {
	if s.looks++; s.looks == 2 {
		_ = s.RawConn.Read(s.awaitEnd())
	}
	return s.RawConn.Read(f)
}

// awaitEnd waits until the poller has reported the end of the connection.
func (s *crossingSocket) awaitEnd() func(uintptr) bool {
	told := true
	return func(uintptr) bool {
		if told = !told; !told {
			s.end()
		}
		return told
	}
}

// crossIdle makes the next request to p cross the end of its idle connection, which end brings about.
func (r *rig) crossIdle(p *pod, end func()) {
	r.t.Helper()
	conn := r.takeIdle(p)
	socket := conn.Conn.Conn
	raw, err := socket.(syscall.Conn).SyscallConn()
	if err != nil {
		r.t.Fatal(err)
	}
	conn.Conn = http1.NewConn(&crossing{socket, crossingSocket{RawConn: raw, end: end}})
	r.endpoint(p).PutIdle(conn, 0, time.Now())
}

// An app that stops closes its idle connections, even if a request is in transit. The app has not read that request, so
// sending it again is no repetition.
func TestRetry_connectionEnds(t *testing.T) {
	for _, method := range []string{"GET", "POST", "PATCH", "DELETE"} {
		t.Run(method, func(t *testing.T) {
			r := newRig(t)
			p := startEcho(t, "pod-a")
			r.serve(nil, p)
			client := r.dial()
			client.get("/").expectOK(t, "")
			r.crossIdle(p, p.closeAll)
			client.send(request(method, "/", "body"))
			client.read(method).expectOK(t, "body")
			if seen, opened := len(p.requests()), p.accepted(); seen != 2 || opened != 2 {
				t.Errorf("the pod has seen %d requests on %d connections, want 2 on 2", seen, opened)
			}
			client.post("/", "more").expectOK(t, "more")
		})
	}
}

func TestRetry_podEnds(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	r.serve(cookieAffinity(), a)
	client := r.dial()
	cookie := client.get("/").cookie(t)
	r.replace(cart, endpointsOf(a, b)...)
	a.refuse()
	r.crossIdle(a, a.closeAll)
	got := client.post("/", "body", cookie)
	got.expectOK(t, "body")
	if pod := got.header.Get("X-Pod"); pod != "pod-b" || got.cookie(t) == "" {
		t.Errorf("%s has responded, with the cookie %q", pod, got.cookie(t))
	}
}

// The pod would never respond, and the poller reports the half-close only once.
func TestRetry_bodyAtPodHalfClose(t *testing.T) {
	r := newRig(t)
	p, endSide := startHalfCloser(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.get("/").expectOK(t, "")
	r.crossIdle(p, endSide)
	client.post("/", "body").expectOK(t, "body")
	if seen := len(p.requests()); seen != 2 {
		t.Errorf("the pod has seen %d requests, want 2", seen)
	}
}

// What was sent of such a body cannot be had back.
func TestRetry_chunkedBodyAtConnectionEnd(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.get("/").expectOK(t, "")
	r.crossIdle(p, p.closeAll)
	io.WriteString(client.Conn, "POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
	client.read("POST").expectStatus(t, 502)
	if seen := len(p.requests()); seen != 1 {
		t.Errorf("the pod has seen %d requests, want 1", seen)
	}
}

// A pod that closes every connection does not cause endless retries.
func TestRetry_newConnectionLost(t *testing.T) {
	r := newRig(t)
	p := startPod(t, "pod-a", func(*podConn) {})
	r.serve(nil, p)
	r.dial().post("/", "body").expectStatus(t, 502)
	if n := p.accepted(); n != 1 {
		t.Errorf("the pod was connected to %d times, want once", n)
	}
}

// A pod that stops ends its idle connections and its listener, which can end the connection of the repeated request too. The pod
// has not crashed on the request, so another one gets it. No third pod would.
func TestRetry_podEndsTwice(t *testing.T) {
	r := newRig(t)
	var a *pod
	a = startPod(t, "pod-a", func(conn *podConn) {
		conn.head()
		if conn.nth == 1 {
			conn.answer("")
			conn.head()
		} else {
			a.refuse()
		}
		conn.reset()
	})
	b := startEcho(t, "pod-b")
	r.serve(cookieAffinity(), a)
	client := r.dial()
	cookie := client.get("/").cookie(t)
	r.replace(cart, endpointsOf(a, b)...)
	got := client.get("/", cookie)
	got.expectOK(t, "")
	if pod := got.header.Get("X-Pod"); pod != "pod-b" || got.cookie(t) == "" {
		t.Errorf("%s has responded, with the cookie %q", pod, got.cookie(t))
	}
	if seen := len(a.requests()); seen != 3 {
		t.Errorf("pod-a was sent %d requests, want 3", seen)
	}
}
