package http2

import "testing"

func TestAnAllowanceGrowsWithTimeUpToItsBound(t *testing.T) {
	a := NewAllowance(2, 10, 1000)
	for _, step := range []struct {
		clock int64
		want  bool
	}{{1000, true}, {1000, true}, {1099, false}, {1300, true}, {9000, true}, {9000, true}, {9000, false}} {
		if got := a.Use(step.clock); got != step.want {
			t.Errorf("at %d: %v", step.clock, got)
		}
	}
}
