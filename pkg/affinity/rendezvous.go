package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// Rendezvous hashing (Thaler and Ravishankar, 1996): each endpoint has a rank for each key, and the endpoint with the
// highest rank is chosen. Adding or removing an endpoint moves no key between two others. The order of the endpoints
// has no effect.

// rank returns the rank of an endpoint, given by its identity hash, for a key.
func rank(key, hash uint64) uint64 { return model.Mix(key ^ hash) }

// highest returns the accepting endpoint with the highest rank, and the rank. It returns -1 if no endpoint accepts the
// session.
func (c *candidates) highest(hashes []uint64) (at int, top uint64) {
	if c.isUnconstrained() {
		return highestOf(hashes, c.key)
	}
	at = none
	for i, hash := range hashes {
		r := rank(c.key, hash)
		if (r > top || at == none) && c.accepts(i) && c.acceptsSlowStart(i, model.Mix(r)) {
			at, top = i, r
		}
	}
	return at, top
}

// highestOf returns the endpoint with the highest rank. It is the fast path without requirements. Most endpoints are excluded by
// the upper bits of their rank, without computing the rest of it.
func highestOf(hashes []uint64, key uint64) (at int, top uint64) {
	at = none
	bound := uint64(0) // the upper bits of top
	for i, hash := range hashes {
		if model.MixHigh(key^hash) < bound {
			continue
		}
		if r := rank(key, hash); r > top || at == none {
			at, top = i, r
			bound = top &^ model.MixLow
		}
	}
	return at, top
}

// placeByHash places a hashed session. It selects the ready endpoint with the highest rank. A draining endpoint with a
// higher rank keeps a session that it serves already.
func (p *Policy) placeByHash(c *candidates, session uint64) int {
	c.key = session
	hashes, ready := c.set.IdentityHashes(c.identity), c.set.Ready()
	at := c.currentEndpoint(hashes[:ready])
	if at == none {
		at = c.choose(model.PickHash)
	}
	if !p.keepDraining || ready == len(hashes) {
		return at
	}
	top := uint64(0)
	if at != none {
		top = rank(session, hashes[at])
	}
	for i := ready; i < len(hashes); i++ {
		r := rank(session, hashes[i])
		if (r > top || at == none) && p.mayKeepSessions(c.set, i, c.now) && c.set.HasServed(i, session) && !c.isTried(i) {
			at, top = i, r
		}
	}
	return at
}

// currentEndpoint returns the endpoint that the session stays on although another one ranks higher, or -1.
//
// It applies if the policy limits sessions: a session that was diverted must not return when its first endpoint has
// capacity again. It also applies if all endpoints are draining: those that began first accept new sessions again.
func (c *candidates) currentEndpoint(hashes []uint64) int {
	if c.requirements.maxSessions == 0 && !c.set.AllDraining() {
		return none
	}
	at, top := none, uint64(0)
	for i, hash := range hashes {
		r := rank(c.key, hash)
		if (r > top || at == none) && c.set.HasServed(i, c.key) && c.accepts(i) {
			at, top = i, r
		}
	}
	return at
}
