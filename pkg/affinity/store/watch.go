package store

import (
	"context"
	"time"
)

// probeWait is the timeout of a probe. It is longer than Wait, because no request waits for it.
const probeWait = time.Second

// watch closes a breaker each time after it opened, once its part of the store is available again.
func (s *shared) watch(b *breaker) {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-b.opened:
			s.reconnect(b)
		}
	}
}

// reconnect probes the part of a breaker every Retry until a probe succeeds, and then closes the breaker.
func (s *shared) reconnect(b *breaker) {
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

// probe connects if necessary, and sends the same query as a Lookup.
func (s *shared) probe(b *breaker) error {
	if err := s.server.connect(s.ctx, s.address, s.table, s.unknown.table); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, probeWait)
	defer cancel()
	return s.server.get(ctx, s.parts.unusedID(b)).err
}
