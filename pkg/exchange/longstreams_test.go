package exchange

import (
	"net"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// TestLongStreams_addedDuringShutdown checks that streams that are added during a shutdown get their share of its time.
func TestLongStreams_addedDuringShutdown(t *testing.T) {
	ls := LongStreams{metrics: observe.NewMetrics()}
	pool := upstream.NewRegistry().Pool(model.PoolID{Service: "cart"})
	pool.Replace([]model.Endpoint{{ID: "a", Address: "10.0.0.1:80", State: model.EndpointReady}})
	add := func() *longStream {
		near, far := net.Pipe()
		t.Cleanup(func() { near.Close(); far.Close() })
		f := &longStream{kind: observe.StreamDownload, endpoint: pool.Set().Endpoint(0), upstream: near, guard: new(Guard)}
		ls.add(f)
		return f
	}
	open := func() int { return ls.Open(observe.StreamDownload) }
	for range 10 {
		ls.remove(add())
	}
	ls.StartShutdown()
	for _, c := range []struct {
		share     float64
		add, open int
	}{{1, 0, 0}, {1, 4, 4}, {0.5, 0, 2}, {0.5, 2, 3}, {0.1, 0, 1}, {0, 0, 0}} {
		for range c.add {
			add()
		}
		ls.CloseDownTo(observe.StreamDownload, c.share)
		if open() != c.open {
			t.Errorf("with a fraction of %.1f, %d are open, want %d", c.share, open(), c.open)
		}
	}
}
