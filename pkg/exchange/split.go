package exchange

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// SplitReason says why a request goes to one backend of its route and not to another.
type SplitReason string

// The reasons for which a backend is chosen.
const (
	SplitOnly      SplitReason = "only"      // the route has no other
	SplitRequested SplitReason = "requested" // the request asks for it by a header or cookie
	SplitSession   SplitReason = "session"   // it has the client's session
	SplitClient    SplitReason = "client"    // by weight, and the same for all requests of the client
	SplitWeight    SplitReason = "weight"    // by weight
	SplitHasPods   SplitReason = "has-pods"  // the backend chosen first has none
)

// split chooses the backend of the route: the one that the request asks for, otherwise the one that has the client's session
// and keeps it, otherwise by weight. A backend without pods leaves its requests to another one, because serving beats
// refusing, unless it has the session of the client: that is for its policy to decide.
func (s *selection) split(r *request) *filter.Response {
	b, why := s.chooseBackend(r)
	if s.trace != nil {
		s.trace.Backend, s.trace.SplitReason = b, why
	}
	if b == nil {
		return noBackend
	}
	s.backend = b
	return nil
}

func (s *selection) chooseBackend(r *request) (*routing.Backend, SplitReason) {
	if len(s.route.Backends) < 2 {
		return s.route.Split(0), SplitOnly
	}
	b, why := s.route.Asked(r.identity()), SplitRequested
	if b == nil {
		var hold affinity.Hold
		b, hold = s.heldBy(r)
		if hold == affinity.HoldAlive || hold == affinity.HoldLost && b.Policy.Refuses() {
			return b, SplitSession
		}
		why = SplitSession
	}
	if b == nil {
		var number uint64
		number, why = s.side(r)
		b = s.route.Split(number)
	}
	if other := withPods(b, s.route.Backends); other != b {
		return other, SplitHasPods
	}
	return b, why
}

// side returns a number that stands for the client where it must keep its side of the split, otherwise a random one.
func (s *selection) side(r *request) (uint64, SplitReason) {
	if s.route.StickySplit {
		for i := range s.route.Backends {
			if number, ok := s.route.Backends[i].Policy.Side(r.identity(), r.Memory); ok {
				return number, SplitClient
			}
		}
	}
	return rand.Uint64(), SplitWeight
}

// withPods returns b, or the first backend that has pods where b has none.
func withPods(b *routing.Backend, all []routing.Backend) *routing.Backend {
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

// heldBy returns the backend that has the client's session and keeps it on its side, nil if none has. A client that asked for
// the other side once has a session on each: the older one is its own.
func (s *selection) heldBy(r *request) (held *routing.Backend, best affinity.Hold) {
	if !s.route.StickySplit {
		return nil, affinity.HoldNone
	}
	oldest := int64(0)
	for i := range s.route.Backends {
		b := &s.route.Backends[i]
		hold, since := b.Policy.Holds(r.identity(), b.Pool.Set(), r.Engine.Keys.Load(), r.Memory, r.start.Unix())
		if hold > best || hold == best && since < oldest {
			held, best, oldest = b, hold, since
		}
	}
	return held, best
}
