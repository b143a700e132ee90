package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// askHashed places the client by the value that method i finds. A client that a method before it will give a token
// to is a new one to that method, whatever its value.
func (e *evaluation) evaluateHashed(i int) {
	key, ok := e.methods[i].hash(e.req, e.state)
	if !ok {
		return
	}
	d := e.d
	at, gaveWay := e.placeHashed(key)
	if at == none {
		return
	}
	d.Endpoint = at
	switch {
	case d.Outcome != OutcomeNew || d.issuingMethod != none:
	case gaveWay:
		d.Outcome, d.Reason = OutcomeMoved, ReasonFull
	default:
		d.Outcome = OutcomeHit
	}
	if !e.tokenFound && !e.valueFound {
		d.Method, d.Session = i, key
	}
}

// placeHashed takes the short way where the policy asks nothing of endpoints and none is draining.
func (e *evaluation) placeHashed(key uint64) (at int, gaveWay bool) {
	seeds := e.set.IdentityHashes(e.identity)
	if e.isUnconstrained && e.set.Ready() == len(seeds) && !e.set.AllDraining() {
		at, _ = highestOf(seeds, key)
		return at, false
	}
	offer := e.newCandidates(e.set, e.d)
	return e.placeBounded(&offer, key)
}

// placeBounded places a session on an endpoint that is not too busy, if the policy sets a bound, and reports whether
// another one is its own.
func (p *Policy) placeBounded(c *candidates, key uint64) (at int, gaveWay bool) {
	at = p.placeByHash(c, key)
	if at == none || p.balanceFactor == 0 || at >= c.set.Ready() {
		return at, false
	}
	c.requestBound = requestBound(c.set, p.balanceFactor)
	if c.set.ActiveRequests(at) < c.requestBound {
		return at, false
	}
	c.requirements = p.requirements
	other := c.choose(model.PickHash)
	return other, other != at
}

// hash is that of the first value that the method finds.
func (m *method) hash(req Request, mem *ConnState) (key uint64, ok bool) {
	v := valueReader{method: m, req: req, state: mem}
	value := v.next()
	return model.Hash(value), value != nil
}
