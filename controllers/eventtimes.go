package controllers

import (
	"sync"
	"time"
)

// eventTimes records, for each key, the time of the oldest event that was not handled yet.
// limpet_propagation_seconds is measured from this time. The zero value is ready to use. It is safe for concurrent
// use.
type eventTimes[K comparable] struct {
	mu sync.Mutex
	at map[K]time.Time
}

// record notes an event for key, unless an older one is pending.
func (s *eventTimes[K]) record(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[K]time.Time{}
	}
	if _, pending := s.at[key]; !pending {
		s.at[key] = time.Now()
	}
}

// take returns the time of the oldest pending event and clears it. Without a pending event, as for a retry, it
// returns the current time.
func (s *eventTimes[K]) take(key K) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[key]
	delete(s.at, key)
	if !ok {
		return time.Now()
	}
	return at
}
