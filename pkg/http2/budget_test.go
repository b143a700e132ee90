package http2

import "testing"

func TestRateLimiter_refillsUpToBurst(t *testing.T) {
	a := NewRateLimiter(2, 10, 1000)
	for _, step := range []struct {
		clock int64
		want  bool
	}{{1000, true}, {1000, true}, {1099, false}, {1300, true}, {9000, true}, {9000, true}, {9000, false}} {
		if got := a.Allow(step.clock); got != step.want {
			t.Errorf("at %d: Allow returned %v", step.clock, got)
		}
	}
}
