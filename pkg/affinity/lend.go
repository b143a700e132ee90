package affinity

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// A session is lent while its endpoint is not ready: another endpoint serves its requests. The binding stays, so that the
// client returns as soon as its own endpoint is ready again.

// mayLend reports whether a session is lent if its endpoint, which is not in the set, has this key.
func (e *evaluation) mayLend(id model.Identity, key model.EndpointKey) bool {
	return e.lendsNotReady && e.set.IsNotReady(id, key)
}

// notReadyWaitFor returns the time to wait for an endpoint if it is not ready and the policy waits for such endpoints.
func (e *evaluation) notReadyWaitFor(id model.Identity, key model.EndpointKey) time.Duration {
	if e.notReadyWait == 0 || !e.set.IsNotReady(id, key) {
		return 0
	}
	return e.notReadyWait
}

// lendSession records that the session of t, which method i found, is lent.
func (e *evaluation) lendSession(i int, t *Token) {
	d := e.d
	d.Outcome, d.Reason, d.EndpointWait = OutcomeLent, ReasonLent, 0
	d.lentSession, d.lentKey = t.Session, t.Endpoint
	e.keepSession(i, t)
}

// lendValue records that the session of an app's value is lent, unless an earlier method found a session.
func (e *evaluation) lendValue(i int, o *appValue, session uint64) {
	if e.found != noSession {
		return
	}
	e.recordValue(i, o, session, OutcomeLent, ReasonLent)
	e.d.lentSession, e.d.lentKey = session, o.key
}

// mayLendFailed reports whether the session of d is lent because its endpoint could not be reached. That endpoint is ready
// otherwise: sessions of a draining one move.
func (p *Policy) mayLendFailed(d *Decision, set Set) bool {
	return p.lendsNotReady && d.Outcome == OutcomeHit && d.sessionEndpoint == none && d.Endpoint < set.Ready() &&
		!set.AllDraining() && p.methods[d.Method].binding != hashed
}

// lendFailed records that the session of d is lent. Its token is not renewed.
func (d *Decision) lendFailed(set Set, identity model.Identity) {
	d.lentSession, d.lentKey = d.Session, set.Key(identity, d.Endpoint)
	d.Outcome, d.Reason, d.Session = OutcomeLent, ReasonLent, 0
	d.Issue, d.issuingMethod, d.relearn = false, none, noteNothing
}

// placeLent returns the endpoint that serves a lent session, or -1. It is the same for all requests of the session, as
// long as the endpoints do not change. Requirements for new sessions do not apply, because the session is not counted.
func (p *Policy) placeLent(d *Decision, set Set) int {
	options := p.newCandidates(set, d)
	options.requirements, options.key = requirements{}, d.lentSession
	return options.pickOnce(model.PickHash)
}

// renewLent renews the token of a lent session if it is due, so that the session does not end while its client is active.
// The token names the session's own endpoint.
func (e *evaluation) renewLent() {
	d := e.d
	d.issuingMethod = none
	if e.found != sessionFromToken || !e.isRenewalDue(&d.Token, d.now) && !e.rebalance.isRenewalDue(&d.Token, d.now) {
		return
	}
	d.issuingMethod, d.Issue = d.Method, d.Endpoint != none
	d.Token.Renewed = d.now
}

// isLent reports whether value, which the app sends in a response, identifies the lent session. It then stays bound to
// its own endpoint.
func (d *Decision) isLent(value []byte) bool {
	return d.Outcome == OutcomeLent && model.Hash(value) == d.lentSession
}
