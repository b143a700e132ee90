package affinity

import (
	"math"
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/model"
)

// none is the index for no endpoint and for no method.
const none = -1

// Pick chooses a ready endpoint for a client without a session. It returns -1 if there is no ready endpoint.
func Pick(set Set, pick model.Pick, req Request) int {
	c := candidates{set: set, identity: model.IdentityPod}
	return c.pick(pick, req)
}

// pick chooses an endpoint for a new session of the client that sent req.
func (c *candidates) pick(pick model.Pick, req Request) int {
	if pick == model.PickHash {
		c.key = hashOfNetwork(req)
	}
	return c.choose(pick)
}

func (c *candidates) pickOnce(pick model.Pick) int {
	if c.set.Ready() == 0 {
		return none
	}
	switch pick {
	case model.PickLeastSessions, model.PickLeastRequests:
		return c.least(pick)
	case model.PickRoundRobin:
		return c.nextInTurn()
	case model.PickHash:
		at, _ := c.highest(c.set.IdentityHashes(c.identity)[:c.set.Ready()])
		return at
	default:
		return c.lessBusyOfTwo()
	}
}

// least returns the endpoint with the lowest load. It starts at a different endpoint each time, so that ties are
// distributed.
func (c *candidates) least(pick model.Pick) int {
	ready := c.set.Ready()
	i := int(c.set.NextTurn() % uint64(ready))
	at, low, plain, slow := none, int64(0), c.isUnconstrained(), c.requirements.slowStart > 0
	for range ready {
		if i++; i >= ready {
			i = 0
		}
		load := loadOf(c.set, pick, i)
		if slow {
			load = c.slowStartLoad(load, i)
		}
		if (at == none || load < low) && (plain || c.accepts(i)) {
			at, low = i, load
		}
	}
	return at
}

// loadOf returns the load of endpoint i for the pick. PickLeastSessions counts anonymous requests as sessions. Some of
// them become sessions, and without them all would select the endpoint with the fewest sessions.
func loadOf(set Set, pick model.Pick, i int) int64 {
	if pick != model.PickLeastSessions {
		return set.ActiveRequests(i)
	}
	if n := set.Sessions(i); n != math.MaxInt64 {
		return n + set.AnonymousRequests(i)
	}
	return math.MaxInt64
}

// slowStartLoad scales the load of an endpoint in slow start, so that it receives a fraction of the new sessions.
func (c *candidates) slowStartLoad(n int64, i int) int64 {
	share := c.slowStartShare(i)
	if share == 1 || n == math.MaxInt64 {
		return n
	}
	return int64(min(float64(n+1)/share, math.MaxInt64/2))
}

func (c *candidates) nextInTurn() int {
	ready := c.set.Ready()
	return c.firstAccepting(int(c.set.NextTurn()%uint64(ready)), ready)
}

// lessBusyOfTwo draws two endpoints at random and returns the less busy one. This is nearly as even as the global
// minimum, at a constant cost, and does not send concurrent requests to the same endpoint. See Mitzenmacher, "The
// Power of Two Choices in Randomized Load Balancing", 1996.
func (c *candidates) lessBusyOfTwo() int {
	ready := c.set.Ready()
	a := c.firstAccepting(rand.IntN(ready), ready)
	if ready == 1 || a == none {
		return a
	}
	b := c.firstAccepting((a+1+rand.IntN(ready-1))%ready, ready)
	if b != none && c.set.ActiveRequests(b) < c.set.ActiveRequests(a) {
		return b
	}
	return a
}

// firstAccepting returns the first of n endpoints, starting at start and wrapping around, that accepts the session. It
// returns -1 if none accepts it.
func (c *candidates) firstAccepting(start, n int) int {
	for k := range n {
		if i := (start + k) % n; c.accepts(i) && (c.requirements.slowStart == 0 || c.acceptsSlowStart(i, rand.Uint64())) {
			return i
		}
	}
	return none
}
