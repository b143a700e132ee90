package proxy

import (
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
)

// All streams of a connection may be reset at once, when their pod goes, with much of their bodies on its way.
func TestWhatIsOnItsWayToAPodThatIsGoneIsNoFlood(t *testing.T) {
	r := newRig(t, slowly)
	pod := startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.untilClosed()
	})
	r.serve(nil, pod)
	g := dialGiver(t, r.addr)
	for i := range uint32(maxStreams) {
		g.begin(2*i+1, "/")
	}
	eventually(t, "all requests to reach the pod", func() bool { return len(pod.requests()) == maxStreams })
	pod.stop()
	for range 10 {
		for i := range uint32(maxStreams) {
			g.must(g.WriteData(2*i+1, false, octets(1000)))
		}
	}
	for i := range uint32(maxStreams) {
		g.must(g.open(2*i+1, true, "check", "sum"))
		g.fate(2*i + 1)
	}
	r.serveEcho()
	g.must(g.open(nextStream, true, plain...))
	if got := g.fate(nextStream); got != "200" {
		t.Errorf("the next stream ends with %s", got)
	}
}

// A connection that ends in the middle of a body ends no body, in whatever way it ends.
func TestABodyWhoseConnectionEndsIsNotWhole(t *testing.T) {
	r := newRig(t)
	begun, taken := make(chan struct{}, 1), make(chan error, 1)
	r.servePods(nil, 1, func(_ string, _ http.ResponseWriter, q *http.Request) {
		begun <- struct{}{}
		_, err := io.Copy(io.Discard, q.Body)
		taken <- err
	})
	for name, end := range map[string]func(g *giver){
		"closed":      func(g *giver) { g.peer.conn.Close() },
		"half closed": func(g *giver) { g.peer.conn.(*net.TCPConn).CloseWrite() },
		"reset": func(g *giver) {
			g.peer.conn.(*net.TCPConn).SetLinger(0)
			g.peer.conn.Close()
		},
		"goodbye": func(g *giver) {
			g.must(g.WriteGoAway(0, http2.ErrCodeNo, nil))
			g.peer.conn.Close()
		},
		"broken protocol": func(g *giver) { g.must(g.WriteData(0, true, nil)) },
		"reset stream":    func(g *giver) { g.must(g.WriteRSTStream(1, http2.ErrCodeNo)) },
	} {
		t.Run(name, func(t *testing.T) {
			g := dialGiver(t, r.addr)
			g.begin(1, "/")
			g.send(1, 1000, 1000, 0)
			<-begun
			end(g)
			if <-taken == nil {
				t.Error("the pod takes it for a whole body")
			}
		})
	}
}
