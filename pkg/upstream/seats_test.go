package upstream

import (
	"sync"
	"testing"
)

func newSeats() *seats { return &seats{ends: map[uint64]int64{}} }

func (s *seats) expect(t *testing.T, now, want int64) {
	t.Helper()
	if got := s.count(now); got != want {
		t.Errorf("at %d s there are %d sessions, want %d", now, got, want)
	}
}

func TestSeats_probation(t *testing.T) {
	s := newSeats()
	for n := range uint64(3) {
		s.arrive(n+1, 1000, 5000, false, 10)
	}
	s.arrive(2, 1010, 5010, false, 10) // it returns, so its seat is firm
	s.arrive(9, 1010, 5010, true, 10)  // its token was issued elsewhere
	s.expect(t, 1029, 4)
	s.expect(t, 1030, 2)
	s.expect(t, 5009, 2)
	s.expect(t, 5010, 0)
}

func TestSeats_probationEndsWithTheSession(t *testing.T) {
	s := newSeats()
	s.arrive(1, 1000, 1002, false, 10)
	s.expect(t, 1001, 1)
	s.expect(t, 1002, 0)
}

func TestSeats_released(t *testing.T) {
	s := newSeats()
	s.arrive(1, 1000, 5000, true, 10)
	s.release(1)
	s.release(2)
	s.expect(t, 1000, 0)
}

func TestSeats_bounded(t *testing.T) {
	s := newSeats()
	for n := range uint64(1000) {
		s.arrive(n+1, 1000, 5000, false, 10)
	}
	s.expect(t, 1000, 10)
	s.arrive(5000, 1031, 5000, false, 10)
	s.expect(t, 1031, 1)
}

func TestSeats_concurrent(t *testing.T) {
	s := newSeats()
	var all sync.WaitGroup
	for worker := range uint64(8) {
		all.Go(func() {
			for n := range uint64(200) {
				s.arrive(worker<<32|n+1, 1000+int64(n), 2000, true, 10_000)
				s.count(1000 + int64(n))
			}
		})
	}
	all.Wait()
	s.expect(t, 1500, 1600)
	s.expect(t, 2000, 0)
}
