package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// Rendezvous hashing (Thaler and Ravishankar, 1996): each endpoint has a rank of its own for each key, and the highest
// rank wins. An endpoint that comes or goes moves no key between two others, and the order of endpoints is of no
// account.

// rank is that of an endpoint for a key.
func rank(key, seed uint64) uint64 { return model.Mix(key ^ seed) }

// highest is the endpoint that ranks first among those that take the session, and its rank; -1 if there is none.
func (c *candidates) highest(seeds []uint64) (at int, top uint64) {
	if c.isUnconstrained() {
		return highestOf(seeds, c.key)
	}
	at = none
	for i, seed := range seeds {
		r := rank(c.key, seed)
		if (r > top || at == none) && c.accepts(i) && c.acceptsSlowStart(i, model.Mix(r)) {
			at, top = i, r
		}
	}
	return at, top
}

// highestOf is the highest of all: the short way, where nothing is asked.
func highestOf(seeds []uint64, key uint64) (at int, top uint64) {
	at = none
	for i, seed := range seeds {
		if r := rank(key, seed); r > top || at == none {
			at, top = i, r
		}
	}
	return at, top
}

// place is where a hashed session goes: to the ready endpoint that ranks first, or to a draining one that ranks higher
// still and knows the session, which it keeps until it is gone.
func (p *Policy) placeByHash(c *candidates, session uint64) int {
	c.key = session
	seeds, ready := c.set.IdentityHashes(c.identity), c.set.Ready()
	at := c.currentEndpoint(seeds[:ready])
	if at == none {
		at = c.choose(model.PickHash)
	}
	if !p.keepDraining || ready == len(seeds) {
		return at
	}
	top := uint64(0)
	if at != none {
		top = rank(session, seeds[at])
	}
	for i := ready; i < len(seeds); i++ {
		r := rank(session, seeds[i])
		if (r > top || at == none) && p.mayKeepSessions(c.set, i, c.now) && c.set.HasServed(i, session) && !c.isTried(i) {
			at, top = i, r
		}
	}
	return at
}

// settled is the endpoint that a session stays on although another ranks higher now, -1 if there is none. That is so
// where the number of sessions is bounded, since a session that had to go elsewhere must not go back when there is
// room; and where all endpoints are draining, since those that drained before the rest take new sessions again.
func (c *candidates) currentEndpoint(seeds []uint64) int {
	if c.requirements.maxSessions == 0 && !c.set.AllDraining() {
		return none
	}
	at, top := none, uint64(0)
	for i, seed := range seeds {
		r := rank(c.key, seed)
		if (r > top || at == none) && c.set.HasServed(i, c.key) && c.accepts(i) {
			at, top = i, r
		}
	}
	return at
}
