package affinity

import "time"

// maxSkew is how far, in seconds, the clock of the replica that sealed a token may be ahead.
const maxClockSkew = 5 * 60

// standing is what a value in the place of a token is worth, in rising order.
type tokenState uint8

const (
	tokenAbsent       tokenState = iota
	tokenForeign                 // not a token, or of another backend, or by a key that is no more
	tokenExpired                 // the session is over
	tokenEndpointGone            // the session goes on, its endpoint does not
	tokenAlive
)

// askIssued looks for a token of this backend. Of several the best one counts, and not just the first: a cookie left
// behind under another Path comes first and would shadow the one in use (RFC 6265, section 5.4).
func (e *evaluation) evaluateIssued(i int) {
	var best, t Token
	top, adopted := tokenAbsent, none
	v := valueReader{method: &e.methods[i], req: e.req, state: e.state}
	for value := v.next(); value != nil; value = v.next() {
		s, at := e.examine(value, &t)
		if s == tokenAlive {
			e.recordHit(i, &t, at)
			return
		}
		if s > top {
			best, top = t, s
		}
		if s == tokenForeign && adopted == none {
			adopted = e.adoption.find(value, e.set)
		}
	}
	if top == tokenAbsent && e.methods[i].source == sourceCookie {
		adopted = e.adoption.findElsewhere(e.req, e.set)
	}
	if adopted != none && top <= tokenForeign && e.mayKeepSessions(e.set, adopted, e.d.now) {
		e.recordAdopted(i, adopted)
		return
	}
	e.recordMiss(i, &best, top)
}

// adopted makes the session of another controller one of ours.
func (e *evaluation) recordAdopted(i, at int) {
	d := e.d
	d.Endpoint = at
	d.issueBy(i)
	if !e.tokenFound && !e.valueFound {
		d.Outcome, d.Reason, d.Method = OutcomeHit, ReasonNone, i
	}
}

// examine opens a value, and finds its endpoint if it is alive.
func (e *evaluation) examine(value []byte, t *Token) (s tokenState, at int) {
	if !e.keys.Open(e.state, value, t) || t.Scope != e.scope {
		return tokenForeign, none
	}
	if e.isExpired(t, e.d.now) {
		return tokenExpired, none
	}
	at, ok := e.set.Lookup(e.identity, t.Endpoint)
	if !ok || !e.mayKeepSessions(e.set, at, e.d.now) {
		return tokenEndpointGone, none
	}
	return tokenAlive, at
}

func (e *evaluation) recordHit(i int, t *Token, at int) {
	d := e.d
	d.Endpoint = at
	if !e.tokenFound {
		d.Outcome, d.Reason, d.EndpointWait = OutcomeHit, ReasonNone, 0
	}
	if e.isRenewalDue(t, d.now) || e.rebalance.isRenewalDue(t, d.now) || e.state.sealedByKey > 0 { // a key that seals no more will be dropped
		d.issueBy(i)
	}
	if e.rebalance.isIdle(t, d.now) && !e.tokenFound && !e.readOnly {
		e.rebalanceFrom(at)
	}
	e.keepSession(i, t)
}

func (e *evaluation) rebalanceFrom(at int) {
	to, moves := e.rebalanceTarget(at)
	if !moves {
		return
	}
	d := e.d
	d.Endpoint, d.RebalancedFrom = to, at
	d.Outcome, d.Reason = OutcomeMoved, ReasonRebalanced
}

// miss notes why method i has named no endpoint. It issues the token, unless a method before it does.
func (e *evaluation) recordMiss(i int, t *Token, s tokenState) {
	d := e.d
	d.issueBy(i)
	if e.valueFound && s != tokenEndpointGone {
		return
	}
	switch {
	case s == tokenEndpointGone:
		d.Outcome, d.Reason, d.EndpointWait = e.lostOutcome(), ReasonGone, e.endpointWait(t)
		e.keepSession(i, t)
	case s == tokenExpired && d.Outcome != OutcomeMoved:
		d.Outcome, d.Reason = OutcomeMoved, ReasonExpired
	case s == tokenForeign && d.Outcome == OutcomeNew:
		d.Outcome = OutcomeInvalid
	}
}

// A token that was sealed within the last freshFor may name an endpoint that this replica has not heard of yet. It waits
// for hearsay: EndpointSlices reach all replicas within some milliseconds of each other, unless one is busy.
const (
	freshTokenAge    = 10 // seconds
	propagationDelay = 500 * time.Millisecond
)

// patience is how long the endpoint of a token is worth waiting for that is not there: as long as the policy says, else
// for a moment if another replica may know more than this one.
func (e *evaluation) endpointWait(t *Token) time.Duration {
	if e.unavailableWait > 0 {
		return e.unavailableWait
	}
	_, known := e.set.Lookup(e.identity, t.Endpoint)
	if known || e.d.now-t.Renewed > freshTokenAge || e.set.HasDeparted(e.identity, t.Endpoint) {
		return 0
	}
	return propagationDelay
}

// keep makes the session of t, which method i found, the one that goes on, unless there is one already.
func (e *evaluation) keepSession(i int, t *Token) {
	if e.tokenFound {
		return
	}
	e.tokenFound = true
	e.d.Token, e.d.Session, e.d.Method = *t, t.Session, i
}

func (d *Decision) issueBy(i int) {
	if d.issuingMethod == none {
		d.issuingMethod = i
	}
}

// isOver reports whether a token is out of time, or further in the future than clocks may differ.
func (p *Policy) isExpired(t *Token, now int64) bool {
	end := p.expiry(t)
	return end > 0 && now >= end || max(t.Started, t.Renewed) > now+maxClockSkew
}

// isDue reports whether half of the idle time has passed since a token was sealed.
func (p *Policy) isRenewalDue(t *Token, now int64) bool {
	return p.idleTimeout > 0 && 2*(now-t.Renewed) >= p.idleTimeout
}

// end is when a token is out of time if it is not renewed, in Unix seconds; 0 for never.
func (p *Policy) expiry(t *Token) int64 {
	switch {
	case p.absoluteTimeout == 0 && p.idleTimeout == 0:
		return 0
	case p.idleTimeout == 0:
		return t.Started + p.absoluteTimeout
	case p.absoluteTimeout == 0:
		return t.Renewed + p.idleTimeout
	default:
		return min(t.Started+p.absoluteTimeout, t.Renewed+p.idleTimeout)
	}
}
