package affinity

import (
	"bytes"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The bindings in this file recognize a client by a value that the app sets. Either the value names the pod, or Limpet
// appended a token to it, or Limpet recorded which endpoint set it.

// Store records the endpoints of learned sessions. Implementations must be safe for concurrent use and must not retain
// id. They must return within a bound of their own. A failing store must report the session as unknown.
type Store interface {
	Lookup(scope uint64, id []byte) (model.EndpointKey, bool)
	Remember(scope uint64, id []byte, key model.EndpointKey)
	Forget(scope uint64, id []byte)
}

// appValue is the result of examining one value that the app set.
type appValue struct {
	state        tokenState
	endpoint     int
	session      uint64
	started      int64 // Token.Started of the appended token, in Unix seconds; zero if there is no token
	endpointWait time.Duration
	key          model.EndpointKey // Token.Endpoint of the appended token
	forged       bool              // the appended token is not valid for this backend
}

// evaluateAppValue looks for a value that identifies an endpoint. Of several values the one with the highest state is
// used.
func (e *evaluation) evaluateAppValue(i int) {
	best := appValue{endpoint: none}
	v := valueReader{method: &e.methods[i], req: e.req, state: e.state}
	for value := v.next(); value != nil; value = v.next() {
		o := e.examineAppValue(&e.methods[i], value)
		if o.state > best.state {
			best = o
		}
		if best.state == tokenAlive {
			break
		}
	}
	e.applyAppValue(i, &best)
}

func (e *evaluation) examineAppValue(m *method, value []byte) appValue {
	switch m.binding {
	case named:
		return e.examineNamed(m, value)
	case wrapped:
		return e.examineWrapped(value)
	default:
		return e.examineLearned(value)
	}
}

// examineNamed interprets the part after the last separator as the name of a pod. Without a separator it uses the full
// value.
func (e *evaluation) examineNamed(m *method, value []byte) appValue {
	session := model.Hash(value)
	cut := bytes.LastIndex(value, m.separator)
	if cut >= 0 {
		value = value[cut+len(m.separator):]
	}
	o := e.lookUpEndpoint(m.identity, model.KeyOf(value), session)
	if o.state == tokenEndpointGone && cut < 0 {
		o.state = tokenForeign // without a separator, the value may not be intended as a pod name
	}
	return o
}

// examineWrapped opens the token that is appended to the value. The token is valid only for the value that it was
// sealed for.
func (e *evaluation) examineWrapped(value []byte) appValue {
	value, text := unwrap(value)
	session := model.Hash(value)
	var t Token
	if text == nil || !e.keys.Open(e.state, text, &t) || t.Scope != e.scope || t.Session != session {
		return appValue{state: tokenForeign, endpoint: none, session: session, forged: text != nil}
	}
	if e.isExpired(&t, e.d.now) {
		return appValue{state: tokenExpired, endpoint: none, session: session}
	}
	o := e.lookUpEndpoint(e.identity, t.Endpoint, session)
	o.started, o.key = t.Started, t.Endpoint
	if o.state == tokenEndpointGone {
		o.endpointWait = e.endpointWait(&t)
	}
	return o
}

func (e *evaluation) examineLearned(value []byte) appValue {
	session := model.Hash(value)
	if e.state.Learned == nil {
		return appValue{state: tokenForeign, endpoint: none, session: session}
	}
	key, ok := e.state.Learned.Lookup(e.scope, value)
	if !ok {
		return appValue{state: tokenForeign, endpoint: none, session: session}
	}
	return e.lookUpEndpoint(e.identity, key, session)
}

func (e *evaluation) lookUpEndpoint(id model.Identity, key model.EndpointKey, session uint64) appValue {
	at, ok := e.set.Lookup(id, key)
	if !ok && e.mayLend(id, key) {
		return appValue{state: tokenEndpointNotReady, endpoint: none, session: session}
	}
	if !ok || !e.mayKeepSessions(e.set, at, e.d.now) {
		wait := e.notReadyWaitFor(id, key)
		return appValue{state: tokenEndpointGone, endpoint: none, session: session, endpointWait: wait}
	}
	return appValue{state: tokenAlive, endpoint: at, session: session}
}

// applyAppValue applies the result of method i to the decision. A value without an endpoint is placed by its hash.
// Every replica then selects the same endpoint for it.
func (e *evaluation) applyAppValue(i int, o *appValue) {
	d := e.d
	if e.shouldLearn(i, o.state) {
		d.relearnMethod = i
	}
	switch o.state {
	case tokenAlive:
		d.Endpoint = o.endpoint
		if e.found == sessionFromApp && d.Outcome != OutcomeLent { // replace the session whose endpoint is gone
			e.found = noSession
		}
		e.recordValue(i, o, OutcomeHit, ReasonNone)
	case tokenEndpointNotReady:
		e.lendValue(i, o)
	case tokenEndpointGone:
		e.recordValue(i, o, e.lostOutcome(), ReasonGone)
	case tokenExpired:
		e.recordValue(i, o, OutcomeMoved, ReasonExpired)
	case tokenForeign:
		e.setPlacementHash(i, o)
		if o.forged && d.Outcome == OutcomeNew {
			d.Outcome = OutcomeInvalid
		}
	}
}

// shouldLearn reports whether the request must record a value in this state. It records values that were known before.
// It also records unknown values in a query, because no response carries them. Other unknown values are not recorded,
// because any client can invent them.
func (e *evaluation) shouldLearn(i int, s tokenState) bool {
	m := &e.methods[i]
	return m.binding == learned && (s == tokenEndpointGone || s == tokenForeign && m.source == sourceQuery)
}

// recordValue sets the outcome for the session that method i found, unless an earlier method found one.
func (e *evaluation) recordValue(i int, o *appValue, outcome Outcome, why Reason) {
	if e.found != noSession {
		return
	}
	e.found = sessionFromApp
	d := e.d
	d.placementHash = 0
	e.setPlacementHash(i, o)
	d.Outcome, d.Reason, d.Method, d.Session, d.EndpointWait = outcome, why, i, o.session, 0
	if why == ReasonGone {
		d.EndpointWait = max(e.unavailableWait, o.endpointWait)
	}
}

// setPlacementHash sets the hash that places the session, unless it is set already.
func (e *evaluation) setPlacementHash(i int, o *appValue) {
	if d := e.d; d.placementHash == 0 {
		d.placementHash, d.placementMethod, d.valueStarted = o.session, i, o.started
	}
}

// recognizeServed changes the outcome to OutcomeHit for a session that d.Endpoint served recently, as seen by this
// replica. Otherwise every request of a session without a known endpoint would count as a move.
func (e *evaluation) recognizeServed() {
	d := e.d
	if e.found == sessionFromToken || d.Endpoint == none || d.Outcome == OutcomeHit || d.Outcome == OutcomeLent {
		return
	}
	d.Session = d.placementHash
	if e.set.HasServed(d.Endpoint, d.placementHash) {
		d.Outcome, d.Reason, d.Method, d.EndpointWait = OutcomeHit, ReasonNone, d.placementMethod, 0
	}
}

// lostOutcome returns the outcome for a session whose endpoint is gone.
func (p *Policy) lostOutcome() Outcome {
	if p.failUnavailable {
		return OutcomeRefused
	}
	return OutcomeMoved
}

// mayKeepSessions reports whether endpoint i may keep its sessions. A draining endpoint keeps them until the drain
// timeout of the policy.
func (p *Policy) mayKeepSessions(set Set, i int, now int64) bool {
	return p.keepDraining && p.drainTimeout == 0 || p.isWithinDrain(set, i, now)
}

func (p *Policy) isWithinDrain(set Set, i int, now int64) bool {
	return i < set.Ready() || p.keepDraining && now-set.StateSince(i) < p.drainTimeout
}
