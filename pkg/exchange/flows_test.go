package exchange

import (
	"net"
	"testing"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// What comes while others are being closed is not closed at once.
func TestFlowsThatComeLateHaveTheirShareOfTheTime(t *testing.T) {
	fs := Flows{metrics: observe.NewMetrics()}
	add := func() *flow {
		near, far := net.Pipe()
		t.Cleanup(func() { near.Close(); far.Close() })
		f := &flow{kind: observe.StreamDownload, pod: near, guard: new(Guard)}
		fs.add(f)
		return f
	}
	open := func() int { return fs.Open(observe.StreamDownload) }
	for range 10 {
		fs.remove(add())
	}
	fs.BeginCounting()
	for _, c := range []struct {
		share     float64
		add, open int
	}{{1, 0, 0}, {1, 4, 4}, {0.5, 0, 2}, {0.5, 2, 3}, {0.1, 0, 1}, {0, 0, 0}} {
		for range c.add {
			add()
		}
		fs.CloseDown(observe.StreamDownload, c.share)
		if open() != c.open {
			t.Errorf("of a share of %.1f %d are open, want %d", c.share, open(), c.open)
		}
	}
}
