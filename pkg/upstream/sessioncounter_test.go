package upstream

import (
	"math"
	"sync"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// serve adds the sessions with numbers in a range.
func (s *sessionCounter) serve(from, to uint64) {
	for n := from; n < to; n++ {
		s.add(model.Mix(n + 1))
	}
}

// expectAbout checks that the count is within a relative error.
func (s *sessionCounter) expectAbout(t *testing.T, what string, want int64, share float64) {
	t.Helper()
	if got := s.count(); math.Abs(float64(got-want)) > max(1, share*float64(want)) {
		t.Errorf("%s: %d sessions, want %d within %.0f %%", what, got, want, 100*share)
	}
}

func TestSessionCounter_accuracy(t *testing.T) {
	for n, share := range map[uint64]float64{
		0: 0, 1: 0, 10: 0.1, 100: 0.05, 1000: 0.02, 10_000: 0.01, 50_000: 0.02, 100_000: 0.04,
	} {
		var s sessionCounter
		s.serve(0, n)
		s.expectAbout(t, "once", int64(n), share)
		s.serve(0, n)
		s.expectAbout(t, "again", int64(n), share)
	}
}

func TestSessionCounter_accuracyOverWindows(t *testing.T) {
	for _, n := range []uint64{100, 1000, 10_000, 30_000} {
		share := max(0.02, 3/math.Sqrt(float64(n))/4)
		var s sessionCounter
		s.serve(0, n)
		for range 3 {
			s.rotate()
			s.expectAbout(t, "nobody has come back yet", int64(n), share)
			s.serve(0, n/2)
			s.expectAbout(t, "half have come back", int64(n), share)
			s.serve(0, n)
			s.expectAbout(t, "all have come back", int64(n), share)
		}
		s.rotate()
		s.serve(n, 3*n/2)
		s.expectAbout(t, "others have come", int64(3*n/2), share)
		s.rotate()
		s.expectAbout(t, "only the others are left", int64(n/2), share)
		s.rotate()
		s.expectAbout(t, "all are forgotten", 0, 0)
	}
}

func TestSessionCounter_window(t *testing.T) {
	const session = 0x123456789abcdef
	var s sessionCounter
	if s.has(session) {
		t.Error("session known before it was added")
	}
	s.add(session)
	for _, known := range []bool{true, true, false} {
		if s.has(session) != known {
			t.Errorf("known: %v, want %v", s.has(session), known)
		}
		s.rotate()
	}
}

// A draining pod keeps the hashed sessions that it served. False positives must be rare.
func TestSessionCounter_falsePositives(t *testing.T) {
	for n, most := range map[uint64]float64{300: 0.00003, 1000: 0.0002, 10_000: 0.06} {
		var s sessionCounter
		s.serve(0, n)
		known := 0
		for k := range uint64(100_000) {
			if s.has(model.Mix(1<<40 + k)) {
				known++
			}
		}
		if share := float64(known) / 100_000; share > most {
			t.Errorf("with %d sessions %.4f false positives, want at most %.4f", n, share, most)
		}
	}
}

func TestSessionCounter_concurrentUse(t *testing.T) {
	var s sessionCounter
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() { s.serve(0, 5000) })
	}
	working.Go(func() {
		for range 100 {
			s.count()
		}
	})
	working.Wait()
	s.expectAbout(t, "all at once", 5000, 0.02)
}

func TestSessionServed_noAllocations(t *testing.T) {
	var s sessionCounter
	s.serve(0, 100)
	if n := testing.AllocsPerRun(100, func() { s.serve(0, 100); s.count() }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAnonymousRequests_window(t *testing.T) {
	p := poolOf("a")
	e := p.Set().Endpoint(0)
	e.SessionServed(7)
	for range 3 {
		e.AddAnonymous()
	}
	e.RemoveAnonymous()
	for _, want := range []int64{2, 2, 0} {
		if got := p.Set().AnonymousRequests(0); got != want {
			t.Errorf("%d anonymous requests, want %d", got, want)
		}
		e.sessions.Load().rotate()
	}
	e.RemoveAnonymous() // the matching AddAnonymous was rotated out
	if got := p.Set().AnonymousRequests(0); got != 0 {
		t.Errorf("%d anonymous requests, want 0", got)
	}
	if got := e.Sessions(); got != 0 {
		t.Errorf("%d sessions", got)
	}
}
