package affinity

import (
	"bytes"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The bindings in this file recognize a client by a value that the app sets. Either the value names the pod, or Limpet
// appended a token to it, or Limpet recorded which endpoint set it.

// appValue is the result of examining one value that the app set.
type appValue struct {
	state        tokenState
	endpoint     int
	value        []byte // the part that identifies the session
	started      int64  // Token.Started of the appended token, in Unix seconds; zero if there is no token
	endpointWait time.Duration
	key          model.EndpointKey // Token.Endpoint of the appended token
	forged       bool              // the appended token is not valid for this backend
	position     int               // the value is the n-th one of the method, counted from 1
}

// evaluateAppValue looks for a value that identifies an endpoint. Of several values the one with the highest state is
// used.
func (e *evaluation) evaluateAppValue(i int) {
	if e.methods[i].binding == learned {
		e.evaluateLearned(i)
		return
	}
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
		budget := 0
		if e.state.trace != nil {
			budget = 1
		}
		o, _ := e.examineLearned(value, &budget)
		return o
	}
}

// maxPodKey is the maximum length in bytes of the name, label or annotation of a pod that a value may end in.
const maxPodKey = 256

// examineNamed interprets the part after the last separator as the name of a pod. Without a separator it uses the full
// value.
func (e *evaluation) examineNamed(m *method, value []byte) appValue {
	name := value[max(0, len(value)-maxPodKey-len(m.separator)):]
	cut := bytes.LastIndex(name, m.separator)
	if cut >= 0 {
		name = name[cut+len(m.separator):]
	}
	if len(name) > maxPodKey {
		return appValue{state: tokenForeign, endpoint: none, value: value}
	}
	o := e.lookUpEndpoint(m.identity, model.KeyOf(name), value)
	if o.state == tokenEndpointGone && cut < 0 {
		o.state = tokenForeign // without a separator, the value may not be intended as a pod name
	}
	return o
}

// examineWrapped opens the token that is appended to the value. The token is valid only for the value that it was
// sealed for.
func (e *evaluation) examineWrapped(value []byte) appValue {
	value, text := unwrap(value)
	var t Token
	if text == nil || !e.open(text, &t) || t.Scope != e.scope || t.Session != model.Hash(value) {
		return appValue{state: tokenForeign, endpoint: none, value: value, forged: text != nil}
	}
	if e.isExpired(&t, e.d.now) {
		return appValue{state: tokenExpired, endpoint: none, value: value}
	}
	o := e.lookUpEndpoint(e.identity, t.Endpoint, value)
	o.started, o.key = t.Started, t.Endpoint
	if o.state == tokenEndpointGone {
		o.endpointWait = e.endpointWait(&t)
	}
	return o
}

func (e *evaluation) lookUpEndpoint(id model.Identity, key model.EndpointKey, value []byte) appValue {
	at, ok := e.set.Lookup(id, key)
	if !ok && e.mayLend(id, key) {
		return appValue{state: tokenEndpointNotReady, endpoint: none, value: value}
	}
	if !ok || !e.mayKeepSessions(e.set, at, e.d.now) {
		wait := e.notReadyWaitFor(id, key)
		return appValue{state: tokenEndpointGone, endpoint: none, value: value, endpointWait: wait}
	}
	return appValue{state: tokenAlive, endpoint: at, value: value}
}

// applyAppValue applies the result of method i to the decision. A value without an endpoint is placed by its hash.
// Every replica then selects the same endpoint for it.
func (e *evaluation) applyAppValue(i int, o *appValue) {
	d := e.d
	if note := e.noteFor(i, o.state); note > d.relearn || o.state == tokenAlive {
		d.relearn, d.relearnMethod, d.relearnPosition = note, i, o.position
	}
	session := model.Hash(o.value)
	switch o.state {
	case tokenAlive:
		d.Endpoint = o.endpoint
		if e.found == sessionFromApp && d.Outcome != OutcomeLent { // replace the session whose endpoint is gone
			e.found = noSession
		}
		e.recordValue(i, o, session, OutcomeHit, ReasonNone)
	case tokenEndpointNotReady:
		e.lendValue(i, o, session)
	case tokenEndpointGone:
		e.recordValue(i, o, session, e.lostOutcome(), ReasonGone)
	case tokenExpired:
		e.recordValue(i, o, session, OutcomeMoved, ReasonExpired)
	case tokenForeign:
		e.setPlacementHash(i, o, session)
		if o.forged && d.Outcome == OutcomeNew {
			d.Outcome = OutcomeInvalid
		}
	}
}

// recordValue sets the outcome for the session that method i found, unless an earlier method found one.
func (e *evaluation) recordValue(i int, o *appValue, session uint64, outcome Outcome, why Reason) {
	if e.found != noSession {
		return
	}
	e.found = sessionFromApp
	d := e.d
	d.placementHash = 0
	e.setPlacementHash(i, o, session)
	d.Outcome, d.Reason, d.Method, d.Session, d.EndpointWait = outcome, why, i, session, 0
	if why == ReasonGone {
		d.EndpointWait = max(e.unavailableWait, o.endpointWait)
	}
}

// setPlacementHash sets the hash that places the session, unless it is set already.
func (e *evaluation) setPlacementHash(i int, o *appValue, session uint64) {
	if d := e.d; d.placementHash == 0 {
		d.placementHash, d.placementMethod, d.valueStarted = session, i, o.started
	}
}

// recognizeServed changes the outcome to OutcomeHit for a session that d.Endpoint served recently, as seen by this
// replica. Otherwise every request of a session without a known endpoint would count as a move. A learned session that
// has ended starts again, so it counts as a move once.
func (e *evaluation) recognizeServed() {
	d := e.d
	if d.Reason == ReasonExpired && d.relearn == noteBinding {
		return
	}
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
