package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// Store records the endpoints of learned sessions. Implementations must be safe for concurrent use and must not retain
// the id. They must return within a bound of their own. A failing store must report the session as unknown.
type Store interface {
	// Lookup returns what this process knows of a session, and counts as a use. It does not wait for other processes.
	Lookup(id *LearnedID) Learned
	// Resolve returns the state of a session that Lookup reported as LearnedUnresolved, and counts as a use. It may
	// wait for a store that is shared by several processes. It returns false if that store could not be queried. The
	// caller must then not resolve other ids of the same request.
	Resolve(id *LearnedID) (result Learned, ok bool)
	// Remember binds a session to an endpoint. The last call wins. If the session is known, its start does not change.
	Remember(id *LearnedID, key model.EndpointKey)
	// Returned records that an endpoint responded to a request with an unknown id. accepted reports whether the response
	// had a status of 2xx or 3xx. The session is bound when the id is used again after an accepted request.
	Returned(id *LearnedID, key model.EndpointKey, accepted bool)
	// Forget releases a session. Unknown ids are ignored.
	Forget(id *LearnedID)
}

// LearnedID identifies a learned session in a Store, with the settings of its policy.
type LearnedID struct {
	// Scope is the model.ScopeOf of the backend in which the id is valid.
	Scope uint64
	// Policy identifies the policy whose share of the store the session uses.
	Policy uint64
	// Client is a hash of the network of the client, for rate limits. Zero means unknown.
	Client uint64
	// ID is the session id of the app.
	ID []byte
	// Lifetime limits the session.
	Lifetime Lifetime
	// Peek makes Lookup and Resolve not count as a use.
	Peek bool
}

// Lifetime limits a session, in seconds. Zero disables a limit.
type Lifetime struct {
	Idle     int64 // since the last use
	Absolute int64 // since the session started
}

// Learned is the state of a session in a Store.
type Learned struct {
	State LearnedState
	// Endpoint is set with LearnedAlive.
	Endpoint model.EndpointKey
}

// LearnedState is the state of a session in a Store.
type LearnedState uint8

// The states.
const (
	LearnedUnknown    LearnedState = iota // there is no such session
	LearnedUnresolved                     // only Resolve can determine the state
	LearnedExpired                        // the session has ended
	LearnedAlive
)

// maxResolved is the maximum number of ids of one request that are looked up outside this process.
const maxResolved = 16

// compileBinders collects what BindResponse looks for. All learned methods share their sessions, so an id is learned
// once, from the fields that the policy lists or else from those that its methods read.
func (p *Policy) compileBinders(a *model.Affinity) {
	for _, m := range p.methods {
		if m.binding == wrapped || m.binding == named || m.binding == learned && len(a.LearnedFrom) == 0 {
			p.binders = append(p.binders, m)
		}
	}
	for _, field := range a.LearnedFrom {
		p.binders = append(p.binders, method{
			source: sources[field.Source], binding: learned, name: field.Name, header: []byte(field.Name),
		})
	}
}

// learnedID returns the key of a session in the Store. It is stored in state, and is valid until the next call. Client
// is set if req is not nil.
func (p *Policy) learnedID(state *ConnState, id []byte, req Request) *LearnedID {
	state.id = LearnedID{
		Scope: p.scope, Policy: p.quota, ID: id, Lifetime: Lifetime{Idle: p.idleTimeout, Absolute: p.absoluteTimeout},
		Peek: state.trace != nil,
	}
	if req != nil {
		state.id.Client = hashOfNetwork(req)
	}
	return &state.id
}

// evaluateLearned looks for an id whose session is known. It first uses what this process knows of all values. Only if
// that leads to no endpoint, it resolves the others.
func (e *evaluation) evaluateLearned(i int) {
	best, unresolved := e.bestLearned(i, false)
	if best.state != tokenAlive && unresolved {
		best, _ = e.bestLearned(i, true)
	}
	e.applyAppValue(i, &best)
}

// bestLearned returns the value with the highest state. It reports whether the state of some values is not known.
func (e *evaluation) bestLearned(i int, resolve bool) (best appValue, unresolved bool) {
	best.endpoint = none
	budget := 0
	if resolve {
		budget = maxResolved
	}
	v := valueReader{method: &e.methods[i], req: e.req, state: e.state}
	for value := v.next(); value != nil; value = v.next() {
		o, isOpen := e.examineLearned(value, &budget)
		o.position = v.count
		unresolved = unresolved || isOpen
		if o.state > best.state {
			best = o
		}
		if best.state == tokenAlive {
			break
		}
	}
	return best, unresolved
}

// examineLearned looks up one id. It resolves the id while budget is positive. It reports whether the state of the
// session is not known.
func (e *evaluation) examineLearned(value []byte, budget *int) (o appValue, unresolved bool) {
	o = appValue{state: tokenForeign, endpoint: none, value: value}
	if e.state.Learned == nil {
		return o, false
	}
	id := e.learnedID(e.state, value, e.req)
	found := e.state.Learned.Lookup(id)
	if found.State == LearnedUnresolved && *budget > 0 {
		*budget--
		var ok bool
		if found, ok = e.state.Learned.Resolve(id); !ok {
			*budget = 0
		}
	}
	switch found.State {
	case LearnedAlive:
		return e.lookUpEndpoint(e.identity, found.Endpoint, value), false
	case LearnedExpired:
		o.state = tokenExpired
	}
	return o, found.State == LearnedUnresolved
}

// noteReturn defines whether an id that the client sent must be recorded after the response.
type noteReturn uint8

const (
	noteNothing noteReturn = iota
	noteBinding            // the session is bound to the endpoint that responded
	noteUse                // the id is unknown: it is bound once it is used again, because any client can invent ids
)

// noteFor returns what to record about a value of method i in this state.
func (e *evaluation) noteFor(i int, s tokenState) noteReturn {
	if e.methods[i].binding != learned {
		return noteNothing
	}
	switch s {
	case tokenEndpointGone, tokenExpired:
		return noteBinding
	case tokenForeign:
		return noteUse
	default:
		return noteNothing
	}
}

// Relearn records the client's learned id after d.Endpoint has responded with this status: its new endpoint if it has
// changed, or the use of an unknown id.
func (p *Policy) Relearn(d *Decision, req Request, set Set, state *ConnState, status int) {
	if d.relearn == noteNothing || state.Learned == nil || d.Endpoint == none || d.sessionEndpoint != none ||
		d.Outcome == OutcomeLent {
		return
	}
	v := valueReader{method: &p.methods[d.relearnMethod], req: req, state: state}
	value := v.next()
	for value != nil && v.count < d.relearnPosition {
		value = v.next()
	}
	if value == nil {
		return
	}
	id, key := p.learnedID(state, value, req), set.Key(p.identity, d.Endpoint)
	if d.relearn == noteBinding {
		state.Learned.Remember(id, key)
		return
	}
	state.Learned.Returned(id, key, status >= 200 && status < 400)
}

// learn binds an id that the app has set in a response.
func (p *Policy) learn(d *Decision, value []byte, set Set, state *ConnState) {
	if state.Learned != nil && d.Endpoint != none && !d.isLent(value) {
		state.Learned.Remember(p.learnedID(state, value, nil), set.Key(p.identity, d.Endpoint))
	}
}

// Forget deletes the client's learned sessions from the Store.
func (p *Policy) Forget(req Request, state *ConnState) {
	if state.Learned == nil {
		return
	}
	for i := range p.methods {
		if p.methods[i].binding != learned {
			continue
		}
		v := valueReader{method: &p.methods[i], req: req, state: state}
		for value := v.next(); value != nil; value = v.next() {
			state.Learned.Forget(p.learnedID(state, value, req))
		}
	}
}
