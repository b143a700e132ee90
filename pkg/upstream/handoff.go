package upstream

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// maxHandoffs bounds what is recorded for one endpoint: the sessions that were used while it drains, and those that moved.
const maxHandoffs = 1 << 16

// sessionUses records which sessions an endpoint serves right now and, while it drains, when it served them and to which
// endpoints they moved. It needs a lock for each request, so that only policies with a handoff use it.
type sessionUses struct {
	mu       sync.Mutex
	active   map[uint64]int            // requests in flight, by session
	lastUsed map[uint64]int64          // Unix seconds
	moved    map[uint64]*endpointState // endpoints to which sessions moved
}

// trackUses returns the uses of the endpoint. The first call creates them.
func (e *endpointState) trackUses() *sessionUses {
	s := e.countSessions()
	if u := s.uses.Load(); u != nil {
		return u
	}
	s.uses.CompareAndSwap(nil, &sessionUses{
		active: map[uint64]int{}, lastUsed: map[uint64]int64{}, moved: map[uint64]*endpointState{},
	})
	return s.uses.Load()
}

// BeginUse counts an active request of the session. Each call must be paired with a call of EndUse.
func (e *Endpoint) BeginUse(session uint64) {
	u := e.trackUses()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.active[session]++
}

// EndUse ends a request that BeginUse counted. now is in Unix seconds.
func (e *Endpoint) EndUse(session uint64, now int64) {
	u := e.trackUses()
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.active[session]--; u.active[session] <= 0 {
		delete(u.active, session)
	}
	if e.flags.has(flagDraining) {
		u.recordUse(session, now)
	}
}

// recordUse records that the session was used. If the record is full, only the tokens of other sessions show their last use.
func (u *sessionUses) recordUse(session uint64, now int64) {
	if _, known := u.lastUsed[session]; known || len(u.lastUsed) < maxHandoffs {
		u.lastUsed[session] = max(now, u.lastUsed[session])
	}
}

// isIdle reports whether the session has no request in flight, and had none for a time in seconds.
func (u *sessionUses) isIdle(session uint64, after, now int64) bool {
	return u.active[session] == 0 && now-u.lastUsed[session] >= after
}

// endDrain discards what is recorded for a drain that was stopped.
func (e *endpointState) endDrain() {
	s := e.sessions.Load()
	if s == nil || s.uses.Load() == nil {
		return
	}
	u := s.uses.Load()
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.lastUsed)
	clear(u.moved)
}

// HandOff returns the endpoint that serves the request of a session on the draining endpoint m.From: m.From itself, or the
// endpoint to which the session moves or has moved. isFirst reports whether the session moves with this request. All requests
// of a session that has moved get the same endpoint, as long as it is ready.
func (s *Set) HandOff(m *model.SessionMove) (to int, isFirst bool) {
	from := s.endpoints[m.From]
	u := from.trackUses()
	u.mu.Lock()
	defer u.mu.Unlock()
	target, hasMoved := u.moved[m.Session]
	if hasMoved {
		if to := s.readyIndex(target); to >= 0 {
			return to, false
		}
	}
	if m.To < 0 || !hasMoved && !s.mayStart(u, m) {
		if !m.DryRun {
			u.recordUse(m.Session, m.Now)
		}
		return m.From, false
	}
	if m.DryRun {
		return m.To, !hasMoved
	}
	u.moved[m.Session] = s.endpoints[m.To].endpointState
	if !hasMoved {
		from.countSessions().moved.Add(1)
	}
	return m.To, !hasMoved
}

// mayStart reports whether the session may leave its endpoint, and counts it for the limit of moves.
func (s *Set) mayStart(u *sessionUses, m *model.SessionMove) bool {
	switch {
	case !m.Start || len(u.moved) >= maxHandoffs:
		return false
	case m.AfterIdle == 0:
		return true
	}
	return u.isIdle(m.Session, m.AfterIdle, m.Now) && (m.DryRun || s.pool.handoffLimiter.allow(m.PerMinute, m.Now))
}

// CancelHandoff reverts HandOff for a session, because the endpoint to which it moved cannot be reached.
func (s *Set) CancelHandoff(from int, session uint64) {
	e := s.endpoints[from]
	u := e.trackUses()
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, hasMoved := u.moved[session]; hasMoved {
		delete(u.moved, session)
		e.countSessions().moved.Add(-1)
	}
}

// readyIndex returns the index of a ready endpoint with this state, or -1.
func (s *Set) readyIndex(state *endpointState) int {
	for i, e := range s.endpoints[:s.ready] {
		if e.endpointState == state {
			return i
		}
	}
	return -1
}
