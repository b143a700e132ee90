package upstream

import (
	"sync"
	"sync/atomic"
	"time"
)

// probation is the time in seconds that a session is counted before its client returns with it. Clients that keep no token,
// such as probes, then hold a seat only this long.
const probation = 30

// seats counts the sessions of an endpoint exactly, for policies with a maximum number of sessions. Each session has a seat
// until its end. It needs a lock for each request, so that only such policies use it.
type seats struct {
	taken     atomic.Int64 // len(ends), including ended sessions until the next sweep
	nextSweep atomic.Int64 // Unix seconds when the next seat may be free
	lastUsed  atomic.Int64 // Unix seconds

	mu   sync.Mutex
	ends map[uint64]int64 // Unix seconds, by session
}

// arrive records a request of the session. A session gets a seat on probation, unless isReturning is set or it has a seat
// already. limit bounds the number of seats.
func (s *seats) arrive(session uint64, now, end int64, isReturning bool, limit int64) {
	s.lastUsed.Store(now)
	s.mu.Lock()
	defer s.mu.Unlock()
	known, hasSeat := s.ends[session]
	if hasSeat = hasSeat && known > now; !hasSeat {
		s.sweep(now)
		if int64(len(s.ends)) >= limit {
			return
		}
	}
	if !hasSeat && !isReturning {
		end = min(end, now+probation)
	}
	s.ends[session] = end
	s.update(end)
}

// release frees the seat of the session.
func (s *seats) release(session uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ends, session)
	s.taken.Store(int64(len(s.ends)))
}

// count returns the number of sessions that have not ended.
func (s *seats) count(now int64) int64 {
	if next := s.nextSweep.Load(); next != 0 && now >= next {
		s.mu.Lock()
		s.sweep(now)
		s.mu.Unlock()
	}
	return s.taken.Load()
}

// sweepShare is the number of seats for which sweeps are delayed by a second, so that large tables do not occupy a core.
const sweepShare = 100_000

// sweep frees the seats of ended sessions. The caller holds mu.
func (s *seats) sweep(now int64) {
	if next := s.nextSweep.Load(); next == 0 || now < next {
		return
	}
	s.nextSweep.Store(0)
	earliest := int64(0)
	for session, end := range s.ends {
		switch {
		case end <= now:
			delete(s.ends, session)
		case earliest == 0 || end < earliest:
			earliest = end
		}
	}
	if earliest > 0 {
		earliest = max(earliest, now+int64(len(s.ends))/sweepShare)
	}
	s.update(earliest)
}

// update records that a seat may be free at end. The caller holds mu.
func (s *seats) update(end int64) {
	if next := s.nextSweep.Load(); next == 0 || end < next {
		s.nextSweep.Store(end)
	}
	s.taken.Store(int64(len(s.ends)))
}

// isUsed reports whether a policy with a maximum still uses s.
func (s *seats) isUsed(now int64) bool {
	return s != nil && now-s.lastUsed.Load() < 2*int64(sessionWindow/time.Second)
}

// SessionArrived records a request of a session of a policy that limits sessions. end is the end of the session in Unix
// seconds if no further request arrives. isReturning reports whether the client returned a token. limit bounds the number
// of sessions that are counted.
func (e *Endpoint) SessionArrived(session uint64, now, end int64, isReturning bool, limit int64) {
	s := e.seats.Load()
	if s == nil {
		e.seats.CompareAndSwap(nil, &seats{ends: map[uint64]int64{}})
		s = e.seats.Load()
	}
	s.arrive(session, now, end, isReturning, limit)
}

// SessionReleased records that the session has ended or has moved to another endpoint.
func (e *Endpoint) SessionReleased(session uint64) {
	if s := e.seats.Load(); s != nil {
		s.release(session)
	}
}
