package proxy

import "testing"

// When their pod goes, all streams of a connection may be reset together, while much of their bodies is in transit.
func TestHTTP2Flood_podGone(t *testing.T) {
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
