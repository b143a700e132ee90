package proxy

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestTunnelsAreClosedEvenlyOverTheTime(t *testing.T) {
	now := time.Unix(1000, 0)
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(92*time.Second))
	defer cancel()
	s := newSpread(ctx, 9, now)
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 9}, {time.Second, 9}, {10 * time.Second, 8}, {11 * time.Second, 8}, {45 * time.Second, 5}, {80 * time.Second, 1},
		{89 * time.Second, 1}, {90 * time.Second, 0}, {91 * time.Second, 0}} {
		if got := s.most(now.Add(c.after)); got != c.want {
			t.Errorf("after %s %d may be open, want %d", c.after, got, c.want)
		}
	}
	if late := newSpread(ctx, 9, now.Add(94*time.Second)); late.most(now.Add(93*time.Second)) != 0 {
		t.Error("after the deadline tunnels are left open")
	}
	if endless := newSpread(t.Context(), 9, now); endless.most(now.Add(time.Hour)) < 9 {
		t.Error("without a deadline tunnels are closed")
	}
}

// sockets opens WebSockets, by turns over HTTP/1.1 and HTTP/2. Each is a function that uses it, or fails.
func (r *rig) sockets(n int) []func() error {
	r.t.Helper()
	var all []func() error
	for i := range n {
		if i%2 == 0 {
			c := r.upgrade("")
			all = append(all, func() error {
				if _, err := c.Write([]byte("x")); err != nil {
					return err
				}
				_, err := c.r.ReadByte()
				return err
			})
			continue
		}
		p := dialHTTP2(r.t, r.addr)
		p.must(p.open(1, false, connect...))
		if got := p.outcome(1); got != "200" {
			r.t.Fatalf("a WebSocket over HTTP/2 is answered with %s", got)
		}
		all = append(all, func() error { return echoOver(p) })
	}
	return all
}

func echoOver(p *peer) error {
	if err := p.WriteData(1, false, []byte("x")); err != nil {
		return err
	}
	for {
		frame, err := p.ReadFrame()
		if err != nil {
			return err
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			if len(f.Data()) == 1 {
				return nil
			}
		case *http2.RSTStreamFrame:
			return fmt.Errorf("reset: %s", f.ErrCode)
		}
	}
}

// open counts those that can be used.
func open(sockets []func() error) int {
	n := 0
	for _, use := range sockets {
		if use() == nil {
			n++
		}
	}
	return n
}

func TestOnlySomeTunnelsAreClosedAtATime(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startWebSocket(t, "pod-a", ""))
	sockets := r.sockets(10)
	for _, most := range []int{10, 7, 7, 1, 0} {
		r.server.tunnels.closeBeyond(most)
		r.expectMetric("limpet_streams", most)
		if n := open(sockets); n != most {
			t.Errorf("%d can be used, want %d", n, most)
		}
	}
}

// What ends by itself makes room: the others are closed as late as they may be.
func TestTunnelsThatEndCountAsClosed(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startWebSocket(t, "pod-a", ""))
	first := r.upgrade("")
	sockets := r.sockets(4)
	first.Close()
	r.expectMetric("limpet_streams", 4)
	r.server.tunnels.closeBeyond(4)
	if n := open(sockets); n != 4 {
		t.Errorf("%d can be used, want 4", n)
	}
}

func TestStopClosesTunnelsBeforeItsTimeIsUp(t *testing.T) {
	r := newRig(t)
	p := startWebSocket(t, "pod-a", "")
	r.serve(nil, p)
	sockets := r.sockets(6)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	stopped := r.stop(ctx)
	eventually(t, "the first tunnel to be closed", func() bool { return r.server.tunnels.count() < 6 })
	if n := open(sockets); n < 3 {
		t.Errorf("only %d can be used after the first was closed", n)
	}
	expectStopped(t, stopped, nil)
	if n := open(sockets); n != 0 {
		t.Errorf("%d can be used still", n)
	}
	eventually(t, "the pod to be told", func() bool { return p.connections() == 0 })
}
