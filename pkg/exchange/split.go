package exchange

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// SplitReason is the reason why the request goes to its backend.
type SplitReason string

// The reasons for the choice of a backend.
const (
	SplitOnly      SplitReason = "only"      // the route has no other backend
	SplitRequested SplitReason = "requested" // the request selects it by a header or cookie
	SplitSession   SplitReason = "session"   // it has the client's session, or an authenticated connection of the client
	SplitClient    SplitReason = "client"    // by weight, the same for all requests of the client
	SplitWeight    SplitReason = "weight"    // by weight, at random
	SplitHasPods   SplitReason = "has-pods"  // the backend that was chosen first has no pods
	SplitFallback  SplitReason = "fallback"  // no backend has pods, and the route has a fallback
)

// split chooses the backend of the route: the one that the request selects, otherwise the one that has the client's session
// and keeps it, otherwise by weight. If the chosen backend has no pods, another one serves the request, unless the backend
// has the client's session: then its policy decides.
func (s *selection) split(r *request) *filter.Response {
	b, reason := s.chooseBackend(r)
	if s.backend = b; s.useFallback(r) {
		b, reason = s.backend, SplitFallback
	}
	if s.trace != nil {
		s.trace.Backend, s.trace.SplitReason = b, reason
	}
	if b == nil {
		return noBackend
	}
	s.backend = b
	return nil
}

// chooseBackend returns the backend and the reason for the choice.
func (s *selection) chooseBackend(r *request) (*routing.Backend, SplitReason) {
	if len(s.route.Backends) < 2 {
		return s.route.Split(0), SplitOnly
	}
	b, reason := s.route.RequestedBackend(r.identity()), SplitRequested
	if b == nil {
		var hold affinity.SessionState
		b, hold = s.sessionBackend(r)
		if hold == affinity.SessionAlive || hold == affinity.SessionLost && b.Policy.FailsUnavailable() {
			return b, SplitSession
		}
		reason = SplitSession
	}
	if b == nil {
		b = s.ownedBackend(r)
	}
	if b == nil {
		var number uint64
		number, reason = s.splitNumber(r)
		b = s.route.Split(number)
	}
	if other := backendWithPods(b, s.route.Backends); other != b {
		return other, SplitHasPods
	}
	return b, reason
}

// splitNumber returns a number that is the same for all requests of the client if the route requires that. Otherwise it
// returns a random number.
func (s *selection) splitNumber(r *request) (uint64, SplitReason) {
	if s.route.StickySplit {
		for i := range s.route.Backends {
			if number, ok := s.route.Backends[i].Policy.SplitKey(r.identity(), r.Memory); ok {
				return number, SplitClient
			}
		}
	}
	return rand.Uint64(), SplitWeight
}

// backendWithPods returns b, or the first backend with pods if b has no pods.
func backendWithPods(b *routing.Backend, all []routing.Backend) *routing.Backend {
	if b == nil || b.Pool.Set().Len() > 0 {
		return b
	}
	for i := range all {
		if all[i].Pool.Set().Len() > 0 {
			return &all[i]
		}
	}
	return b
}

// sessionBackend returns the backend that has the client's session and keeps it. It returns nil if there is no such backend.
// A client that once selected another backend has a session on each of them: the oldest session is used.
func (s *selection) sessionBackend(r *request) (backend *routing.Backend, best affinity.SessionState) {
	if !s.route.StickySplit {
		return nil, affinity.SessionUnknown
	}
	oldest := int64(0)
	for i := range s.route.Backends {
		b := &s.route.Backends[i]
		hold, since := b.Policy.FindSession(r.identity(), b.Pool.Set(), r.Engine.Keys.Load(), r.Memory, r.start.Unix())
		if hold > best || hold == best && since < oldest {
			backend, best, oldest = b, hold, since
		}
	}
	return backend, best
}
