package affinity

// LeaveFull chooses another endpoint after d.Endpoint has reached a limit of active requests. It returns false, and changes
// nothing, if the request belongs to a session that must stay, or if every ready endpoint has most active requests. A
// session that is new, or whose endpoint is gone, may choose any endpoint. A rebalancing move is canceled.
//
// Sessions that are placed by the hash of a value stay: other replicas place them on the same endpoint.
// The arguments req and set must be those of Decide.
func (p *Policy) LeaveFull(d *Decision, req Request, set Set, most int64) bool {
	if d.RebalancedFrom != none {
		d.Endpoint, d.RebalancedFrom = d.RebalancedFrom, none
		d.Outcome, d.Reason = OutcomeHit, ReasonNone
		return true
	}
	if p.mustStay(d) {
		return false
	}
	pick, options := p.newSession, p.newCandidates(set, d)
	if d.Outcome == OutcomeNone {
		pick, options.requirements = p.anonymousPick(), requirements{}
	}
	options.requestBound = most
	at := options.pick(pick, req)
	if at == none || set.ActiveRequests(at) >= most {
		return false
	}
	d.Endpoint = at
	return true
}

// mustStay reports whether the session of d is bound to d.Endpoint, or placed there by all replicas.
func (p *Policy) mustStay(d *Decision) bool {
	if d.Outcome == OutcomeHit || d.Outcome == OutcomeLent || d.Reason == ReasonFull {
		return true
	}
	return d.placementHash != 0 || d.HandoffFrom != none
}
