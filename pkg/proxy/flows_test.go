package proxy

import (
	"context"
	"fmt"
	"io"
	"math"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/observe"
)

func TestCloseSchedule_even(t *testing.T) {
	now := time.Unix(1000, 0)
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(102*time.Second))
	defer cancel()
	all := newCloseSchedules(ctx, now)
	for kind, shares := range map[observe.StreamKind][]float64{
		observe.StreamWebSocket: {1, 0.75, 0.5, 0.25, 0.1, 0, 0},
		observe.StreamEvents:    {1, 0.75, 0.5, 0.25, 0.1, 0, 0},
		observe.StreamGRPC:      {1, 0.75, 0.5, 0.25, 0.1, 0, 0},
		observe.StreamDownload:  {1, 1, 1, 1, 0.4, 0, 0},
	} {
		for i, seconds := range []time.Duration{0, 25, 50, 75, 90, 100, 110} {
			if got := all[kind].openShare(now.Add(seconds * time.Second)); math.Abs(got-shares[i]) > 0.001 {
				t.Errorf("after %d s %f of kind %d may be open, want %f", seconds, got, kind, shares[i])
			}
		}
	}
	late := newCloseSchedules(ctx, now.Add(104*time.Second))
	endless := newCloseSchedules(t.Context(), now)
	for kind := range late {
		if late[kind].openShare(now.Add(103*time.Second)) != 0 {
			t.Errorf("after the deadline flows of kind %d are left open", kind)
		}
		if endless[kind].openShare(now.Add(time.Hour)) != 1 {
			t.Errorf("without a deadline flows of kind %d are closed", kind)
		}
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
			r.t.Fatalf("a WebSocket over HTTP/2 got %s", got)
		}
		all = append(all, func() error { return echoOver(p) })
	}
	return all
}

// echoOver sends data through the tunnel and waits for the echo. It sends no more frames on a stream that was reset.
func echoOver(p *peer) error {
	if p.over {
		return io.EOF
	}
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
			p.over = true
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

func TestShutdown_tunnelsCloseEvenly(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startWebSocket(t, "pod-a", ""))
	sockets := r.sockets(10)
	r.server.LongStreams.StartShutdown()
	for _, most := range []int{10, 7, 7, 1, 0} {
		r.server.LongStreams.CloseDownTo(observe.StreamWebSocket, float64(most)/10)
		r.expectMetric(`limpet_streams{kind="websocket"}`, most)
		if n := open(sockets); n != most {
			t.Errorf("%d can be used, want %d", n, most)
		}
	}
}

// Tunnels that end by themselves count towards the target, so that the others are closed as late as possible.
func TestTunnel_metrics(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startWebSocket(t, "pod-a", ""))
	first := r.upgrade("")
	sockets := r.sockets(4)
	r.server.LongStreams.StartShutdown()
	first.Close()
	r.expectMetric(`limpet_streams{kind="websocket"}`, 4)
	r.server.LongStreams.CloseDownTo(observe.StreamWebSocket, 0.8)
	if n := open(sockets); n != 4 {
		t.Errorf("%d can be used, want 4", n)
	}
}

func TestShutdown_tunnels(t *testing.T) {
	r := newRig(t)
	p := startWebSocket(t, "pod-a", "")
	r.serve(nil, p)
	sockets := r.sockets(6)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	stopped := r.stop(ctx)
	eventually(t, "the first tunnel to be closed", func() bool { return p.connections() < 6 })
	if n := open(sockets); n < 3 {
		t.Errorf("only %d can be used after the first was closed", n)
	}
	expectStopped(t, stopped, nil)
	if n := open(sockets); n != 0 {
		t.Errorf("%d can be used still", n)
	}
	eventually(t, "the pod to notice", func() bool { return p.connections() == 0 })
}
