package affinity

// Next returns the endpoint to try after d.Endpoint could not be reached, or -1 if no other is left. At most 8
// endpoints are tried for one request.
//
// A session on the failed endpoint moves to the next one. If the policy does not allow moves, the request is refused. If it
// keeps failed sessions, there is no next endpoint, and the session stays.
// The arguments req and set must be those of Decide.
func (p *Policy) Next(d *Decision, req Request, set Set) int {
	if d.Endpoint == none {
		return none
	}
	if d.HandoffFrom != none {
		return d.cancelHandoff(set)
	}
	if p.failUnavailable && d.Outcome == OutcomeHit {
		d.Endpoint, d.Issue = none, false
		d.Outcome, d.Reason = OutcomeRefused, ReasonFailed
		return none
	}
	if p.keepsFailed && d.Outcome == OutcomeHit {
		d.Endpoint, d.Issue = none, false
		return none
	}
	d.recordTried()
	if d.RebalancedFrom != none {
		d.Endpoint, d.RebalancedFrom = d.RebalancedFrom, none // cancel the rebalancing move
		d.Outcome, d.Reason = OutcomeHit, ReasonNone
		return d.Endpoint
	}
	d.Endpoint = p.pickAnother(d, req, set)
	p.recordMove(d)
	return d.Endpoint
}

// cancelHandoff sends the request to the draining endpoint, which has the state of the session. A session that an earlier request
// moved is served at its new endpoint already. It stays there, and this request issues no token.
func (d *Decision) cancelHandoff(set Set) int {
	if d.Reason == ReasonHandoff {
		set.CancelHandoff(d.HandoffFrom, d.Session)
	} else {
		d.Issue = false
	}
	d.recordTried()
	d.Endpoint, d.HandoffFrom = d.HandoffFrom, none
	d.Outcome, d.Reason = OutcomeHit, ReasonNone
	return d.Endpoint
}

func (d *Decision) recordTried() {
	d.tried[d.numTried] = int32(d.Endpoint)
	d.numTried++
}

// pickAnother returns the next endpoint by the first method that hashes a value of the client, otherwise by the pick
// of the policy.
func (p *Policy) pickAnother(d *Decision, req Request, set Set) int {
	if d.numTried == maxTried {
		return none
	}
	if d.Outcome == OutcomeLent {
		return p.placeLent(d, set)
	}
	options := p.newCandidates(set, d)
	if d.Outcome == OutcomeNone {
		options.requirements = requirements{}
		return options.pick(p.anonymousPick(), req)
	}
	if d.placementHash != 0 {
		return p.placeByHash(&options, d.placementHash)
	}
	for i := range p.methods {
		if p.methods[i].binding != hashed {
			continue
		}
		if key, ok := p.methods[i].hash(req, d.state); ok {
			at, _ := p.placeBounded(&options, key)
			return at
		}
	}
	return options.pick(p.newSession, req)
}

// recordMove updates the outcome after d.Endpoint has changed. If no endpoint is left, the session has not moved.
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
		if d.relearn == noteNothing { // otherwise the id was unknown
			d.relearn = noteBinding
		}
	}
}
