package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// Next gives the endpoint to try after d.Endpoint could not be reached, -1 if there is none: at most 8 are offered
// for one request. A session that was at home there has moved then, or is refused if the policy is strict. The
// request and set are those of Decide.
func (p *Policy) Next(d *Decision, req Request, set Set) int {
	if d.Endpoint == none {
		return none
	}
	if p.failUnavailable && d.Outcome == OutcomeHit {
		d.Endpoint, d.Issue = none, false
		d.Outcome, d.Reason = OutcomeRefused, ReasonFailed
		return none
	}
	d.tried[d.numTried] = int32(d.Endpoint)
	d.numTried++
	if d.RebalancedFrom != none {
		d.Endpoint, d.RebalancedFrom = d.RebalancedFrom, none // it need not have moved
		d.Outcome, d.Reason = OutcomeHit, ReasonNone
		return d.Endpoint
	}
	d.Endpoint = p.pickAnother(d, req, set)
	p.recordMove(d)
	return d.Endpoint
}

// elsewhere is the next best endpoint by the first method that hashes a value of the client, else by the pick.
func (p *Policy) pickAnother(d *Decision, req Request, set Set) int {
	if d.numTried == maxTried {
		return none
	}
	offer := p.newCandidates(set, d)
	if d.Outcome == OutcomeNone {
		offer.requirements = requirements{}
		return offer.pick(model.PickRandom, req)
	}
	if d.placementHash != 0 {
		return p.placeByHash(&offer, d.placementHash)
	}
	for i := range p.methods {
		if p.methods[i].binding != hashed {
			continue
		}
		if key, ok := p.methods[i].hash(req, d.state); ok {
			at, _ := p.placeBounded(&offer, key)
			return at
		}
	}
	return offer.pick(p.newSession, req)
}

// move settles the outcome after d.Endpoint has changed. Where nobody answers, nobody has moved.
func (p *Policy) recordMove(d *Decision) {
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
		d.relearnMethod = d.Method
	}
}
