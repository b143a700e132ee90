package affinity

import (
	"bytes"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The bindings here recognise a client by a value that the app has given it: it names the pod, Limpet has sealed a
// token onto it, or Limpet has seen where it came from.

// Store remembers where learned sessions live. It is safe for concurrent use, does not keep ids, and answers at once or
// within a bound of its own: a store that fails says that it knows nothing.
type Store interface {
	Lookup(scope uint64, id []byte) (model.EndpointKey, bool)
	Remember(scope uint64, id []byte, key model.EndpointKey)
	Forget(scope uint64, id []byte)
}

// own is an app's value, and what it is worth.
type appValue struct {
	state        tokenState
	endpoint     int
	session      uint64
	started      int64 // of a token sealed onto it
	endpointWait time.Duration
	forged       bool // the token is none of ours
}

// askOwn looks for a value that leads to an endpoint. Of several the best one counts, as with tokens.
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

// examineNamed takes what follows the last separator for what names a pod; all of the value, if it has none.
func (e *evaluation) examineNamed(m *method, value []byte) appValue {
	session := model.Hash(value)
	cut := bytes.LastIndex(value, m.separator)
	if cut >= 0 {
		value = value[cut+len(m.separator):]
	}
	o := e.lookUpEndpoint(m.identity, model.KeyOf(value), session)
	if o.state == tokenEndpointGone && cut < 0 {
		o.state = tokenForeign // it may never have been meant to name one
	}
	return o
}

// examineWrapped opens the token on the value. It counts for the value that it was sealed onto, and for no other.
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
	o.started = t.Started
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
	if !ok || !e.mayKeepSessions(e.set, at, e.d.now) {
		return appValue{state: tokenEndpointGone, endpoint: none, session: session}
	}
	return appValue{state: tokenAlive, endpoint: at, session: session}
}

// take settles what method i has found. A value that leads nowhere still has a place of its own, by its hash: all its
// requests meet on one endpoint, whichever replica they come to.
func (e *evaluation) applyAppValue(i int, o *appValue) {
	d := e.d
	if e.shouldLearn(i, o.state) {
		d.relearnMethod = i
	}
	switch o.state {
	case tokenAlive:
		d.Endpoint, e.valueFound = o.endpoint, false
		e.recordValue(i, o, OutcomeHit, ReasonNone)
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

// learns reports whether a value in that standing is to be remembered from the request: one that was known, and one in a
// query, where no answer could have shown it. Unknown ones elsewhere are not, since anybody can make them up.
func (e *evaluation) shouldLearn(i int, s tokenState) bool {
	m := &e.methods[i]
	return m.binding == learned && (s == tokenEndpointGone || s == tokenForeign && m.source == sourceQuery)
}

// settle notes what became of the session that method i knows, unless a method before it has found one.
func (e *evaluation) recordValue(i int, o *appValue, outcome Outcome, why Reason) {
	if e.valueFound || e.tokenFound {
		return
	}
	e.valueFound = true
	d := e.d
	d.placementHash = 0
	e.setPlacementHash(i, o)
	d.Outcome, d.Reason, d.Method, d.Session, d.EndpointWait = outcome, why, i, o.session, 0
	if why == ReasonGone {
		d.EndpointWait = max(e.unavailableWait, o.endpointWait)
	}
}

// seed makes the hash of a value the place of its session, unless there is one already.
func (e *evaluation) setPlacementHash(i int, o *appValue) {
	if d := e.d; d.placementHash == 0 {
		d.placementHash, d.placementMethod, d.valueStarted = o.session, i, o.started
	}
}

// stay sees that a session which leads nowhere, and which has been on its endpoint before as far as this replica has
// seen, does not count as moving again with each request.
func (e *evaluation) recognizeServed() {
	d := e.d
	if e.tokenFound || d.Endpoint == none || d.Outcome == OutcomeHit {
		return
	}
	d.Session = d.placementHash
	if e.set.HasServed(d.Endpoint, d.placementHash) {
		d.Outcome, d.Reason, d.Method, d.EndpointWait = OutcomeHit, ReasonNone, d.placementMethod, 0
	}
}

// lost is the outcome for a session whose endpoint is gone.
func (p *Policy) lostOutcome() Outcome {
	if p.failUnavailable {
		return OutcomeRefused
	}
	return OutcomeMoved
}

// keeps reports whether endpoint i may keep its sessions: a draining one for as long as the policy says.
func (p *Policy) mayKeepSessions(set Set, i int, now int64) bool {
	return p.keepDraining && p.drainTimeout == 0 || p.isWithinDrain(set, i, now)
}

func (p *Policy) isWithinDrain(set Set, i int, now int64) bool {
	return i < set.Ready() || p.keepDraining && now-set.StateSince(i) < p.drainTimeout
}
