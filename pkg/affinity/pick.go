package affinity

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

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
	case model.PickLatency:
		return c.fasterOfTwo()
	default:
		return c.lessBusyOfTwo()
	}
}

// least returns the endpoint with the lowest load, in a large set one with a low load. It starts at a different endpoint each
// time, so that ties are distributed.
func (c *candidates) least(pick model.Pick) int {
	turn, ready := c.set.NextTurn(), c.set.Ready()
	if list := c.set.LowLoad(pick); len(list) > 0 {
		if at := c.leastOfSome(pick, list, turn); at != none {
			return at
		}
	}
	at, _ := c.leastFrom(pick, int(turn%uint64(ready)), ready)
	return at
}

// leastFrom returns the endpoint with the lowest load among n ready ones after start, and the load.
func (c *candidates) leastFrom(pick model.Pick, start, n int) (at int, low int64) {
	at, ready, plain := none, c.set.Ready(), c.isUnconstrained()
	for i := start; n > 0; n-- {
		if i++; i >= ready {
			i = 0
		}
		load := c.loadOf(pick, i)
		if (at == none || load < low) && (plain || c.accepts(i)) {
			at, low = i, load
		}
	}
	return at, low
}

// leastOfSome compares some endpoints instead of all: those in list, which had the lowest loads, and as many others, which are
// different ones each turn. The lowest of the others replaces the highest in list. After a few turns list has the endpoints with
// the lowest loads, because every endpoint has been compared. It returns -1 if no compared endpoint accepts the session. An entry
// of list is the index of an endpoint plus one.
//
// Concurrent picks may overwrite each other's entries, which only delays that.
func (c *candidates) leastOfSome(pick model.Pick, list []atomic.Int32, turn uint64) int {
	ready := c.set.Ready()
	at, low := c.leastFrom(pick, int(turn*uint64(len(list))%uint64(ready)), len(list))
	highest, high, plain := none, int64(0), c.isUnconstrained()
	other, otherLoad, isListed := at, low, false
	for k := range list {
		i := int(list[k].Load()) - 1
		isListed = isListed || i == other
		if i == none {
			highest, high = k, math.MaxInt64
			continue
		}
		load := c.loadOf(pick, i)
		if highest == none || load > high {
			highest, high = k, load
		}
		if (at == none || load < low) && (plain || c.accepts(i)) {
			at, low = i, load
		}
	}
	if other != none && !isListed && otherLoad < high {
		list[highest].Store(int32(other) + 1)
	}
	return at
}

// loadOf returns the load of endpoint i for the pick, in slow start scaled to its share.
func (c *candidates) loadOf(pick model.Pick, i int) int64 {
	load := loadOf(c.set, pick, i)
	if c.requirements.slowStart > 0 {
		return c.slowStartLoad(load, i)
	}
	return load
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
	a, b := c.twoAtRandom()
	if b != none && c.set.ActiveRequests(b) < c.set.ActiveRequests(a) {
		return b
	}
	return a
}

// fasterOfTwo draws two endpoints at random and returns the one that is likely to respond first: its latency, multiplied by the
// requests that it would then have. An endpoint whose latency is unknown counts as fast as the other one, so that a new endpoint
// is not sent all requests.
func (c *candidates) fasterOfTwo() int {
	a, b := c.twoAtRandom()
	if b == none {
		return a
	}
	now := time.Now().UnixNano()
	latencyA, latencyB := c.set.Latency(a, now), c.set.Latency(b, now)
	if latencyA == 0 || latencyB == 0 {
		latencyA, latencyB = 1, 1
	}
	if latencyB*(float64(c.set.ActiveRequests(b))+1) < latencyA*(float64(c.set.ActiveRequests(a))+1) {
		return b
	}
	return a
}

// twoAtRandom returns two random endpoints that accept the session. If there is only one, b is -1.
func (c *candidates) twoAtRandom() (a, b int) {
	ready := c.set.Ready()
	a = c.firstAccepting(rand.IntN(ready), ready)
	if ready == 1 || a == none {
		return a, none
	}
	return a, c.firstAccepting((a+1+rand.IntN(ready-1))%ready, ready)
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
