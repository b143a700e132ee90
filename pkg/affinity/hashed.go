package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// evaluateHashed places the client by the hash of the value that method i finds. If an earlier method issues a token,
// the outcome stays OutcomeNew for any value.
func (e *evaluation) evaluateHashed(i int) {
	key, ok := e.methods[i].hash(e.req, e.state)
	if !ok {
		return
	}
	d := e.d
	at, diverted := e.placeHashed(key)
	if at == none {
		return
	}
	d.Endpoint = at
	switch {
	case d.Outcome != OutcomeNew || d.issuingMethod != none:
	case diverted:
		d.Outcome, d.Reason = OutcomeMoved, ReasonFull
	default:
		d.Outcome = OutcomeHit
	}
	if e.found == noSession {
		d.Method, d.Session = i, key
	}
}

// placeHashed uses a fast path if the policy has no requirements and no endpoint is draining.
func (e *evaluation) placeHashed(key uint64) (at int, diverted bool) {
	hashes := e.set.IdentityHashes(e.identity)
	if e.isUnconstrained && e.set.Ready() == len(hashes) && !e.set.AllDraining() {
		at, _ = highestOf(hashes, key)
		return at, false
	}
	options := e.newCandidates(e.set, e.d)
	return e.placeBounded(&options, key)
}

// placeBounded places a session on an endpoint below the request bound of the policy, if it sets one. It reports
// whether the endpoint differs from the one that ranks first.
func (p *Policy) placeBounded(c *candidates, key uint64) (at int, diverted bool) {
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

// hash returns the hash of the first value that the method finds.
func (m *method) hash(req Request, mem *ConnState) (key uint64, ok bool) {
	if m.source == sourceComposite {
		return m.hashParts(req, mem)
	}
	v := valueReader{method: m, req: req, state: mem}
	value := v.next()
	return model.Hash(value), value != nil
}
