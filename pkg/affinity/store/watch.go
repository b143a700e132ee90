package store

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// probeWait is how long the store may take to answer when no request waits for it.
const probeWait = time.Second

// watch closes the breaker each time that it has opened, when the store answers again.
func (s *shared) watch() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.breaker.opened:
			s.revive()
		}
	}
}

func (s *shared) revive() {
	ticker := time.NewTicker(s.Retry)
	defer ticker.Stop()
	for {
		err := s.probe()
		if err == nil {
			s.breaker.close()
			return
		}
		if s.ctx.Err() != nil {
			return
		}
		s.breaker.stillOpen(err)
		select {
		case <-s.ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// probe connects, where that has not worked yet, and asks as a Lookup does: for an id that is nobody's, and
// that in a cluster any node may have.
func (s *shared) probe() error {
	if err := s.server.connect(s.address, s.table); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, probeWait)
	defer cancel()
	var nobody sum
	binary.LittleEndian.PutUint64(nobody[:], rand.Uint64())
	return s.server.get(ctx, nobody).err
}
