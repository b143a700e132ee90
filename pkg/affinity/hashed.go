package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// askHashed places the client by the value that method i finds. A client that a method before it will give a token
// to is a new one to that method, whatever its value.
func (c *call) askHashed(i int) {
	key, ok := c.methods[i].hash(c.req, c.mem)
	if !ok {
		return
	}
	d := c.d
	at, gaveWay := c.placeHashed(key)
	if at == none {
		return
	}
	d.Endpoint = at
	switch {
	case d.Outcome != OutcomeNew || d.issuer != none:
	case gaveWay:
		d.Outcome, d.Reason = OutcomeMoved, ReasonFull
	default:
		d.Outcome = OutcomeHit
	}
	if !c.kept && !c.settled {
		d.Method, d.Session = i, key
	}
}

// placeHashed takes the short way where the policy asks nothing of endpoints and none is draining.
func (c *call) placeHashed(key uint64) (at int, gaveWay bool) {
	seeds := c.set.Seeds(c.identity)
	if c.isPlain && c.set.Ready() == len(seeds) && !c.set.Ending() {
		at, _ = highestOf(seeds, key)
		return at, false
	}
	offer := c.offer(c.set, c.d)
	return c.placeBounded(&offer, key)
}

// placeBounded places a session on an endpoint that is not too busy, if the policy sets a bound, and reports whether
// another one is its own.
func (p *Policy) placeBounded(c *candidates, key uint64) (at int, gaveWay bool) {
	at = p.place(c, key)
	if at == none || p.balance == 0 || at >= c.set.Ready() {
		return at, false
	}
	c.load = fullLoad(c.set, p.balance)
	if c.set.Requests(at) < c.load {
		return at, false
	}
	c.terms = p.terms
	other := c.choose(model.PickHash)
	return other, other != at
}

// hash is that of the first value that the method finds.
func (m *method) hash(req Request, mem *Memory) (key uint64, ok bool) {
	v := values{method: m, req: req, mem: mem}
	value := v.next()
	return model.Hash(value), value != nil
}
