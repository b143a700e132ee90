package upstream

import "testing"

func TestBeginReplay_atMostHalf(t *testing.T) {
	for _, c := range []struct{ inFlight, allowed int }{{0, 64}, {100, 64}, {128, 64}, {1000, 500}} {
		p := poolOf("a b")
		for i := range c.inFlight {
			p.Set().Endpoint(i % 2).BeginRequest()
		}
		begun := 0
		for p.BeginReplay() {
			begun++
		}
		if begun != c.allowed {
			t.Errorf("%d in flight: %d replays, want %d", c.inFlight, begun, c.allowed)
		}
		p.EndReplay()
		if !p.BeginReplay() {
			t.Errorf("%d in flight: replay refused after EndReplay", c.inFlight)
		}
	}
}
