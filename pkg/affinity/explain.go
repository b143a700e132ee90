package affinity

import (
	"strconv"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Finding is what one method found in a request whose decision was explained. A method that found several values, such as
// several cookies of one name, has several findings, in the order in which it looked at them.
type Finding struct {
	// Method is the index of the method in the policy.
	Method  int
	Source  model.Source
	Binding model.Binding
	// Name is that of the cookie, header or parameter, or the index of the path segment. It is empty for an address.
	Name string
	// Value is what the method found, as text. It is empty if it found nothing.
	Value  string
	Result Result
	// Endpoint is the index in the Set of the endpoint that the value leads to, -1 for none.
	Endpoint int
}

// Result is what a method made of a value.
type Result string

// The results.
const (
	ResultAbsent  Result = "absent"  // there is no value
	ResultForeign Result = "foreign" // the value is not a token of this backend, or names no endpoint
	ResultExpired Result = "expired" // a token whose session is over
	ResultGone    Result = "gone"    // the session goes on, but its endpoint has left or does not keep sessions
	ResultAlive   Result = "alive"   // the value leads to an endpoint that serves
	ResultAdopted Result = "adopted" // the value is a cookie of another controller, and leads to an endpoint that serves
	ResultHashed  Result = "hashed"  // the endpoint follows from a hash of the value
)

var tokenResults = [...]Result{
	tokenAbsent: ResultAbsent, tokenForeign: ResultForeign, tokenExpired: ResultExpired, tokenEndpointGone: ResultGone, tokenAlive: ResultAlive,
}

// Explain decides as Decide does, and returns what each method found that was asked: those up to the first that recognized
// the client. It counts nothing and moves no session. Whether one may move for reason rebalanced it answers as if the rate of
// such moves were not exhausted, and where endpoints are picked in turn another one may be picked for the next request.
// Unlike Decide it allocates.
func (p *Policy) Explain(d *Decision, req Request, set Set, keys *Keyring, state *ConnState, now int64) []Finding {
	var findings []Finding
	state.trace = &findings
	p.Decide(d, req, observedSet{set}, keys, state, now)
	state.trace = nil
	return findings
}

// observedSet is a Set that is looked at and not changed.
type observedSet struct{ Set }

// MayMove is part of Set.
func (observedSet) AllowMove(int64, int64) bool { return true }

// Turn is part of Set.
func (observedSet) NextTurn() uint64 { return 0 }

// record adds what method i, which has just been asked, makes of the values that it finds. It looks at them once more, so that
// decisions without a trace pay nothing.
func (e *evaluation) record(i int) {
	state := &e.methods[i]
	v := valueReader{method: state, req: e.req, state: e.state}
	for value := v.next(); value != nil; value = v.next() {
		text := string(value)
		result, at := e.examineAny(state, value)
		e.addFinding(i, text, result, at)
		if result == ResultAlive || state.binding == hashed {
			return
		}
	}
	if at := e.d.Endpoint; at != none && state.binding == issued {
		e.addFinding(i, string(CookieValue(e.req, e.adoption.cookieOr(state.name))), ResultAdopted, at)
		return
	}
	if v.count == 1 {
		e.addFinding(i, "", ResultAbsent, none)
	}
}

// examineAny returns what m makes of one value. The decision has been made: where it is by hash, its endpoint is that of m.
func (e *evaluation) examineAny(state *method, value []byte) (Result, int) {
	switch state.binding {
	case hashed:
		return ResultHashed, e.d.Endpoint
	case issued:
		var t Token
		s, at := e.examine(value, &t)
		return tokenResults[s], at
	default:
		o := e.examineAppValue(state, value)
		return tokenResults[o.state], o.endpoint
	}
}

func (e *evaluation) addFinding(i int, value string, result Result, at int) {
	state := &e.methods[i]
	f := Finding{Method: i, Name: state.name, Value: value, Result: result, Endpoint: at}
	for name, source := range sources {
		if source == state.source {
			f.Source = name
		}
	}
	for name, binding := range bindings {
		if binding == state.binding {
			f.Binding = name
		}
	}
	switch state.source {
	case sourcePath:
		f.Name = strconv.Itoa(state.index)
	case sourceAddress:
		f.Value = e.req.ClientIP().String()
	}
	*e.state.trace = append(*e.state.trace, f)
}

// cookieOr returns the cookie in which the other controller's value is looked for, which is name unless the policy says
// otherwise.
func (a *adoption) cookieOr(name string) string {
	if a == nil || a.cookie == "" {
		return name
	}
	return a.cookie
}
