package proxy

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// split chooses the backend of the route: by weight, unless the client has a session that keeps its side.
func (x *exchange) split() *routing.Backend {
	if !x.route.StickySplit {
		return x.route.Split(rand.Uint64())
	}
	if b := x.heldBy(); b != nil {
		return b
	}
	for i := range x.route.Backends {
		if number, ok := x.route.Backends[i].Policy.Side(x, x.memory); ok {
			return x.route.Split(number)
		}
	}
	return x.route.Split(rand.Uint64())
}

// heldBy is the backend that has the client's session, nil if none has.
func (x *exchange) heldBy() *routing.Backend {
	var held *routing.Backend
	best := affinity.HoldNone
	for i := range x.route.Backends {
		b := &x.route.Backends[i]
		hold := b.Policy.Holds(x, b.Pool.Set(), x.server.Keys.Load(), x.memory, x.start.Unix())
		if hold > best {
			held, best = b, hold
		}
	}
	return held
}
