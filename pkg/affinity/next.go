package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// Next gives the endpoint to try after d.Endpoint could not be reached, -1 if there is none: at most 8 are offered
// for one request. A session that was at home there has moved then, or is refused if the policy is strict. The
// request and set are those of Decide.
func (p *Policy) Next(d *Decision, req Request, set Set) int {
	if d.Endpoint == none {
		return none
	}
	if p.strict && d.Outcome == OutcomeHit {
		d.Endpoint, d.Issue = none, false
		d.Outcome, d.Reason = OutcomeRefused, ReasonFailed
		return none
	}
	d.spent[d.tries] = int32(d.Endpoint)
	d.tries++
	if d.From != none {
		d.Endpoint, d.From = d.From, none // it need not have moved
		d.Outcome, d.Reason = OutcomeHit, ReasonNone
		return d.Endpoint
	}
	d.Endpoint = p.elsewhere(d, req, set)
	p.move(d)
	return d.Endpoint
}

// elsewhere is the next best endpoint by the first method that hashes a value of the client, else by the pick.
func (p *Policy) elsewhere(d *Decision, req Request, set Set) int {
	if d.tries == maxTries {
		return none
	}
	offer := p.offer(set, d)
	if d.Outcome == OutcomeNone {
		offer.terms = terms{}
		return offer.pick(model.PickRandom, req)
	}
	if d.seed != 0 {
		return p.place(&offer, d.seed)
	}
	for i := range p.methods {
		if p.methods[i].binding != hashed {
			continue
		}
		if key, ok := p.methods[i].hash(req, d.mem); ok {
			at, _ := p.placeBounded(&offer, key)
			return at
		}
	}
	return offer.pick(p.newSession, req)
}

// move settles the outcome after d.Endpoint has changed. Where nobody answers, nobody has moved.
func (p *Policy) move(d *Decision) {
	if d.Endpoint == none {
		d.Issue = false
		return
	}
	if d.Outcome != OutcomeHit {
		return
	}
	d.Outcome, d.Reason = OutcomeMoved, ReasonFailed
	switch p.methods[d.Method].binding {
	case issued:
		d.issueBy(d.Method)
		d.Token.Renewed = d.now
		d.Issue = true
	case learned:
		d.relearn = d.Method
	}
}
