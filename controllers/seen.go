package controllers

import (
	"sync"
	"time"
)

// seen remembers for each key when the oldest event was seen that has not been acted on, which is where
// limpet_propagation_seconds counts from. The zero value is ready; safe for concurrent use.
type seen[K comparable] struct {
	mu sync.Mutex
	at map[K]time.Time
}

func (s *seen[K]) mark(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[K]time.Time{}
	}
	if _, waiting := s.at[key]; !waiting {
		s.at[key] = time.Now()
	}
}

// take gives the time and forgets it: what happens from now on counts from its own event. It gives the present where
// nothing was marked, as for a retry.
func (s *seen[K]) take(key K) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[key]
	delete(s.at, key)
	if !ok {
		return time.Now()
	}
	return at
}
