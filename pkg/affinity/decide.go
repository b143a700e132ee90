package affinity

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/model"
)

// sessionSource is the kind of value that identified the session of a request, in rising order of precedence.
type sessionSource uint8

const (
	noSession        sessionSource = iota
	sessionFromApp                 // a value of the app, which has set the outcome
	sessionFromToken               // the valid token in Decision.Token, although its endpoint may be gone
)

// evaluation is the state of one call of Decide.
type evaluation struct {
	*Policy
	d     *Decision
	req   Request
	set   Set
	keys  *Keyring
	state *ConnState

	// found is the kind of value that identified the session. Later methods then only select an endpoint.
	found sessionSource
	// opened counts the tokens that were opened.
	opened int
	// readOnly is set by FindSession: no session is moved or counted.
	readOnly bool
}

// Decide chooses an endpoint for req and stores the result in d. now is the wall clock in Unix seconds.
//
// It does not allocate. It retains state in d and keys in state, but neither req nor set.
func (p *Policy) Decide(d *Decision, req Request, set Set, keys *Keyring, state *ConnState, now int64) {
	d.reset(now, state)
	if len(p.methods) == 0 || p.exemption != nil && p.exemption.matches(req) {
		d.Endpoint = Pick(set, p.anonymousPick(), req)
		return
	}
	d.Outcome = OutcomeNew
	d.compatibleSameSite = p.compatibleSameSite && discardsSameSiteNone(req)
	e := evaluation{Policy: p, d: d, req: req, set: set, keys: keys, state: state}
	e.recognize()
	if d.Outcome == OutcomeRefused {
		return
	}
	if d.Endpoint == none {
		e.placeClient()
	}
	if d.placementHash != 0 {
		e.recognizeServed()
	}
	if d.Endpoint == none && p.requirements.refuseWhenFull && set.Ready() > 0 {
		d.Outcome, d.Reason = OutcomeRefused, ReasonFull
		return
	}
	if p.budget.balanceFactor > 0 && d.Outcome == OutcomeHit {
		e.divertIfBusy()
	}
	e.prepareToken()
	if d.sessionEndpoint != none || d.Outcome == OutcomeLent {
		d.Session = 0
		return
	}
	d.Anonymous = d.Session == 0
}

// MeasuresLatency reports whether the policy needs the latency of endpoints.
func (p *Policy) MeasuresLatency() bool { return p.newSession == model.PickLatency }

// anonymousPick returns the algorithm for requests without affinity.
func (p *Policy) anonymousPick() model.Pick {
	if len(p.methods) == 0 {
		return p.newSession
	}
	return model.PickRandom
}

// placeClient chooses an endpoint for a client that no method assigned to one.
func (e *evaluation) placeClient() {
	if e.d.Outcome == OutcomeLent {
		e.d.Endpoint = e.placeLent(e.d, e.set)
		return
	}
	options := e.newCandidates(e.set, e.d)
	if e.d.placementHash == 0 {
		e.d.Endpoint = options.pick(e.newSession, e.req)
		return
	}
	e.d.Endpoint = e.Policy.placeByHash(&options, e.d.placementHash)
}

// recognize tries the methods in order until one of them selects an endpoint.
func (e *evaluation) recognize() {
	for i := range e.methods {
		switch e.methods[i].binding {
		case issued:
			e.evaluateIssued(i)
		case hashed:
			e.evaluateHashed(i)
		default:
			e.evaluateAppValue(i)
		}
		if e.state.trace != nil {
			e.record(i)
		}
		if e.d.Endpoint != none || e.d.Outcome == OutcomeRefused {
			return
		}
	}
}

// prepareToken fills the token to seal, if one must be issued. It continues the session that was found, or starts a
// new one.
func (e *evaluation) prepareToken() {
	d := e.d
	if d.Outcome == OutcomeLent {
		e.renewLent()
		return
	}
	if d.issuingMethod == none {
		return
	}
	if e.found != sessionFromToken {
		if d.Session == 0 {
			d.Session = rand.Uint64()
		}
		d.Token = Token{Scope: e.scope, Started: d.now, Session: d.Session}
	}
	d.Token.Renewed = d.now
	d.Issue = d.Endpoint != none
}

// newCandidates returns the endpoints that the session of d may use, without those that were tried.
func (p *Policy) newCandidates(set Set, d *Decision) candidates {
	return candidates{set: set, identity: p.identity, tried: d.tried[:d.numTried], requirements: p.requirements, now: d.now}
}
