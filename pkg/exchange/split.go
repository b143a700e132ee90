package exchange

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// split chooses the backend of the route: the one that the request asks for, else the one that has the client's session
// and keeps it, else by weight. A backend without pods leaves its requests to another one, because serving beats
// refusing, unless it has the session of the client: that is for its policy to decide. Nil if there is no backend.
func (x *Exchange) split() *routing.Backend {
	if len(x.route.Backends) < 2 {
		return x.route.Split(0)
	}
	b := x.route.Asked(x)
	if b == nil {
		var hold affinity.Hold
		if b, hold = x.heldBy(); hold == affinity.HoldAlive || hold == affinity.HoldLost && b.Policy.Refuses() {
			return b
		}
	}
	if b == nil {
		b = x.route.Split(x.side())
	}
	return withPods(b, x.route.Backends)
}

// side is a number that stands for the client where it must keep its side of the split, else a random one.
func (x *Exchange) side() uint64 {
	if x.route.StickySplit {
		for i := range x.route.Backends {
			if number, ok := x.route.Backends[i].Policy.Side(x, x.Memory); ok {
				return number
			}
		}
	}
	return rand.Uint64()
}

// withPods is b, or else the first backend that has pods where b has none.
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

// heldBy is the backend that has the client's session and keeps it on its side, nil if none has. A client that asked for
// the other side once has a session on each: the older one is its own.
func (x *Exchange) heldBy() (held *routing.Backend, best affinity.Hold) {
	if !x.route.StickySplit {
		return nil, affinity.HoldNone
	}
	oldest := int64(0)
	for i := range x.route.Backends {
		b := &x.route.Backends[i]
		hold, since := b.Policy.Holds(x, b.Pool.Set(), x.Engine.Keys.Load(), x.Memory, x.start.Unix())
		if hold > best || hold == best && since < oldest {
			held, best, oldest = b, hold, since
		}
	}
	return held, best
}
