package affinity

import "time"

// maxClockSkew is the maximum time in seconds by which the clock of the replica that sealed a token may be ahead.
const maxClockSkew = 5 * 60

// tokenState is the result of examining a value that may be a token, in rising order of preference.
type tokenState uint8

const (
	tokenAbsent           tokenState = iota
	tokenForeign                     // not a token, or for another backend, or sealed with a removed key
	tokenExpired                     // the session has ended
	tokenEndpointGone                // the session is valid, but its endpoint is gone
	tokenEndpointNotReady            // the session is valid, and lent while its endpoint is not ready
	tokenAlive
)

// maxAdoptable is the maximum number of cookies of one request that are compared with those of other controllers.
const maxAdoptable = 8

// evaluateIssued looks for a token of this backend. Of several tokens the one with the highest state is used. A stale
// cookie with another Path may come first and must not hide the current one (RFC 6265, section 5.4).
func (e *evaluation) evaluateIssued(i int) {
	var best, t Token
	top, adopted, foreign, avoid := tokenAbsent, none, 0, false
	v := valueReader{method: &e.methods[i], req: e.req, state: e.state}
	for value := v.next(); value != nil; value = v.next() {
		s, at := e.examine(value, &t)
		if s == tokenAlive {
			e.tokenFoundIn(v.generated)
			e.recordHit(i, &t, at)
			e.correctNginxCookie(i, &v, value, at)
			return
		}
		if s > top {
			best, top = t, s
		}
		avoid = avoid || v.generated || s == tokenForeign && e.isOfApp(value)
		if s == tokenForeign && adopted == none && foreign < maxAdoptable {
			adopted = e.adoption.find(value, e.set)
			foreign++
		}
	}
	if top == tokenAbsent && e.methods[i].source == sourceCookie {
		adopted = e.adoption.findElsewhere(e.req, e.state, e.set)
	}
	if adopted != none && top <= tokenForeign && e.mayKeepSessions(e.set, adopted, e.d.now) {
		e.recordAdopted(i, adopted)
		return
	}
	e.tokenFoundIn(avoid)
	e.recordMiss(i, &best, top)
}

// isOfApp reports whether the app set a foreign value. The others are tokens and cookies of another controller.
func (e *evaluation) isOfApp(value []byte) bool { return e.adoption == nil && !e.keys.HasSealed(value) }

// tokenFoundIn records whether the token of the method has the generated name, or must have it because the client sends a
// value of the app in the other one. If an earlier method issues the token, that method decides.
func (e *evaluation) tokenFoundIn(generated bool) {
	if e.d.issuingMethod == none {
		e.d.generatedName = generated
	}
}

// maxOpened is the maximum number of tokens of one request that are opened. Browsers store about 180 cookies for a site.
const maxOpened = 256

// open opens the token in a value, unless too many of the request were opened.
func (e *evaluation) open(value []byte, t *Token) bool {
	text := sealedPart(value)
	if len(text) != TokenLen || e.opened == maxOpened {
		return false
	}
	e.opened++
	return e.keys.Open(e.state, text, t)
}

// recordAdopted continues the session of another controller and issues a token for it.
func (e *evaluation) recordAdopted(i, at int) {
	d := e.d
	d.Endpoint = at
	d.issueBy(i)
	if e.found == noSession {
		d.Outcome, d.Reason, d.Method = OutcomeHit, ReasonNone, i
	}
}

// examine opens a token and looks up its endpoint.
func (e *evaluation) examine(value []byte, t *Token) (s tokenState, at int) {
	if !e.open(value, t) || t.Scope != e.scope {
		return tokenForeign, none
	}
	if e.isExpired(t, e.d.now) {
		return tokenExpired, none
	}
	at, ok := e.set.Lookup(e.identity, t.Endpoint)
	if !ok && e.mayLend(e.identity, t.Endpoint) {
		return tokenEndpointNotReady, none
	}
	if !ok || !e.mayKeepSessions(e.set, at, e.d.now) && !e.mayHandOff() {
		return tokenEndpointGone, none
	}
	return tokenAlive, at
}

func (e *evaluation) recordHit(i int, t *Token, at int) {
	d := e.d
	d.Endpoint = at
	if e.found != sessionFromToken {
		d.Outcome, d.Reason, d.EndpointWait = OutcomeHit, ReasonNone, 0
	}
	// Reseal tokens of an older key, which will be removed from the keyring.
	if e.isRenewalDue(t, d.now) || e.rebalance.isRenewalDue(t, d.now) || e.state.sealedByKey > 0 {
		d.issueBy(i)
	}
	switch {
	case e.found == sessionFromToken || e.readOnly:
	case at >= e.set.Ready() && e.mayHandOff():
		e.handOff(i, t, at)
	case e.rebalance.isIdle(t, d.now):
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

// recordMiss records why method i selected no endpoint. The method issues the token, unless an earlier method does.
func (e *evaluation) recordMiss(i int, t *Token, s tokenState) {
	d := e.d
	d.issueBy(i)
	if d.Outcome == OutcomeLent || e.found == sessionFromApp && s < tokenEndpointGone {
		return
	}
	switch {
	case s == tokenEndpointNotReady && e.found != sessionFromToken:
		e.lendSession(i, t)
	case s == tokenEndpointGone:
		d.Outcome, d.Reason, d.EndpointWait = e.lostOutcome(), ReasonGone, e.endpointWait(t)
		e.keepSession(i, t)
	case s == tokenExpired && d.Outcome != OutcomeMoved:
		d.Outcome, d.Reason = OutcomeMoved, ReasonExpired
	case s == tokenForeign && d.Outcome == OutcomeNew:
		d.Outcome = OutcomeInvalid
	}
}

// EndpointSlice updates reach all replicas within milliseconds of each other, unless one is overloaded. A token sealed
// less than freshTokenAge ago may therefore name an endpoint that this replica does not know yet. The request waits up
// to propagationDelay for it.
const (
	freshTokenAge    = 10 // seconds
	propagationDelay = 500 * time.Millisecond
)

// endpointWait returns the time to wait for the missing endpoint of t. It is the wait of the policy, if it has one.
// Otherwise it is propagationDelay if another replica may know the endpoint already, and zero if not.
func (e *evaluation) endpointWait(t *Token) time.Duration {
	if e.unavailableWait > 0 {
		return e.unavailableWait
	}
	if wait := e.notReadyWaitFor(e.identity, t.Endpoint); wait > 0 {
		return wait
	}
	_, known := e.set.Lookup(e.identity, t.Endpoint)
	if known || e.d.now-t.Renewed > freshTokenAge || e.set.WasRemoved(e.identity, t.Endpoint) {
		return 0
	}
	return propagationDelay
}

// keepSession continues the session of t, which method i found, unless an earlier method found a session.
func (e *evaluation) keepSession(i int, t *Token) {
	if e.found == sessionFromToken {
		return
	}
	e.found = sessionFromToken
	e.d.Token, e.d.Session, e.d.Method = *t, t.Session, i
}

func (d *Decision) issueBy(i int) {
	if d.issuingMethod == none {
		d.issuingMethod = i
	}
}

// isExpired reports whether a token has expired. Times further in the future than maxClockSkew are treated as expired.
func (p *Policy) isExpired(t *Token, now int64) bool {
	end := p.expiry(t)
	return end > 0 && now >= end || max(t.Started, t.Renewed) > now+maxClockSkew
}

// isRenewalDue reports whether half of the idle timeout has passed since the token was sealed.
func (p *Policy) isRenewalDue(t *Token, now int64) bool {
	return p.idleTimeout > 0 && 2*(now-t.Renewed) >= p.idleTimeout
}

// expiry returns the time at which a token expires unless it is renewed, in Unix seconds. Zero means never.
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
