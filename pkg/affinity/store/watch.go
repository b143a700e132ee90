package store

import (
	"context"
	"time"
)

// probeWait is how long the store may take to answer when no request waits for it.
const probeWait = time.Second

// watch closes a breaker each time that it has opened, when its part of the store answers again.
func (s *shared) watch(b *breaker) {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-b.opened:
			s.revive(b)
		}
	}
}

func (s *shared) revive(b *breaker) {
	ticker := time.NewTicker(s.Retry)
	defer ticker.Stop()
	for {
		err := s.probe(b)
		if err == nil {
			b.close()
			return
		}
		if s.ctx.Err() != nil {
			return
		}
		s.health.stillOpen(err)
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// probe connects, where that has not worked yet, and asks as a Lookup does.
func (s *shared) probe(b *breaker) error {
	if err := s.server.connect(s.ctx, s.address, s.table); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, probeWait)
	defer cancel()
	return s.server.get(ctx, s.parts.nobody(b)).err
}
