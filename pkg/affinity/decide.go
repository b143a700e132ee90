package affinity

import (
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/model"
)

// call is one Decide in progress.
type evaluation struct {
	*Policy
	d          *Decision
	req        Request
	set        Set
	keys       *Keyring
	state      *ConnState
	tokenFound bool // d.Token is of a session that goes on
	// settled says that a value of the app's own has settled the outcome.
	valueFound bool
	readOnly   bool // nothing comes of it, so nothing is to be moved or counted
}

// Decide says where a request goes. now is the wall clock in Unix seconds. It does not allocate, and keeps nothing
// of what it is given but what d and m are for.
func (p *Policy) Decide(d *Decision, req Request, set Set, keys *Keyring, state *ConnState, now int64) {
	d.reset(now, state)
	if len(p.methods) == 0 || p.exemption != nil && p.exemption.matches(req) {
		d.Endpoint = Pick(set, model.PickRandom, req)
		return
	}
	d.Outcome = OutcomeNew
	c := evaluation{Policy: p, d: d, req: req, set: set, keys: keys, state: state}
	c.recognize()
	if d.Outcome == OutcomeRefused {
		return
	}
	if d.Endpoint == none {
		c.placeClient()
	}
	if d.placementHash != 0 {
		c.recognizeServed()
	}
	if d.Endpoint == none && p.requirements.refuseWhenFull && set.Ready() > 0 {
		d.Outcome, d.Reason = OutcomeRefused, ReasonFull
		return
	}
	if p.budget.balanceFactor > 0 && d.Outcome == OutcomeHit {
		c.divertIfBusy()
	}
	c.prepareToken()
	if d.sessionEndpoint != none {
		d.Session = 0
		return
	}
	d.Anonymous = d.Session == 0
}

// place chooses an endpoint for a client that no method has brought to one.
func (e *evaluation) placeClient() {
	offer := e.newCandidates(e.set, e.d)
	if e.d.placementHash == 0 {
		e.d.Endpoint = offer.pick(e.newSession, e.req)
		return
	}
	e.d.Endpoint = e.Policy.placeByHash(&offer, e.d.placementHash)
}

// recognise asks the methods in order until one of them names an endpoint.
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

// prepareToken makes what is to be sealed, if a token is due: of the session that goes on, else of a new one.
func (e *evaluation) prepareToken() {
	d := e.d
	if d.issuingMethod == none {
		return
	}
	if !e.tokenFound {
		if d.Session == 0 {
			d.Session = rand.Uint64()
		}
		d.Token = Token{Scope: e.scope, Started: d.now, Session: d.Session}
	}
	d.Token.Renewed = d.now
	d.Issue = d.Endpoint != none
}

// offer is the endpoints that the session of d may be given to, if they have not been tried.
func (p *Policy) newCandidates(set Set, d *Decision) candidates {
	return candidates{set: set, identity: p.identity, tried: d.tried[:d.numTried], requirements: p.requirements, now: d.now}
}
