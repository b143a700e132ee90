package affinity

import (
	"strconv"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Finding is the result of one method for one value in an explained decision. A method that found several values, such
// as several cookies of one name, has one Finding for each, in the order of evaluation.
type Finding struct {
	// Method is the index of the method in the policy.
	Method  int
	Source  model.Source
	Binding model.Binding
	// Name is the name of the cookie, header or parameter, or the index of the path segment. It is empty for an
	// address. For a composite, it lists the parts.
	Name string
	// Value is the value as text. It is empty if the method found no value.
	Value  string
	Result Result
	// Endpoint is the index in the Set of the endpoint that the value identifies, or -1.
	Endpoint int
}

// Result is the interpretation of one value.
type Result string

// The results. Their strings are part of the explain output.
const (
	ResultAbsent  Result = "absent"  // the request has no such value
	ResultForeign Result = "foreign" // not a token of this backend, or names no known endpoint
	ResultExpired Result = "expired" // a token whose session has ended
	ResultGone    Result = "gone"    // the session is valid, but its endpoint is gone or keeps no sessions
	ResultLent    Result = "lent"    // the session is valid, and another endpoint serves it while its own is not ready
	ResultAlive   Result = "alive"   // identifies an endpoint that serves the session
	ResultAdopted Result = "adopted" // a cookie of another controller that identifies a serving endpoint
	ResultHashed  Result = "hashed"  // the endpoint is chosen by a hash of the value
)

var tokenResults = [...]Result{
	tokenAbsent:           ResultAbsent,
	tokenForeign:          ResultForeign,
	tokenExpired:          ResultExpired,
	tokenEndpointGone:     ResultGone,
	tokenEndpointNotReady: ResultLent,
	tokenAlive:            ResultAlive,
}

// Explain makes the same decision as Decide and returns the findings of each method that was evaluated. Those are the
// methods up to the first one that recognized the client.
//
// It counts no request and moves no session. It assumes that the rate limits for ReasonRebalanced and
// ReasonHandoff are not exhausted.
// With PickRoundRobin, Decide may choose another endpoint for the next request. Unlike Decide, Explain allocates.
func (p *Policy) Explain(d *Decision, req Request, set Set, keys *Keyring, state *ConnState, now int64) []Finding {
	var findings []Finding
	state.trace = &findings
	p.Decide(d, req, observedSet{set}, keys, state, now)
	state.trace = nil
	return findings
}

// observedSet is a Set without side effects.
type observedSet struct{ Set }

// AllowMove implements Set.
func (observedSet) AllowMove(int64, int64) bool { return true }

// HandOff implements Set.
func (o observedSet) HandOff(m *model.SessionMove) (to int, isFirst bool) {
	m.DryRun = true
	return o.Set.HandOff(m)
}

// NextTurn implements Set.
func (observedSet) NextTurn() uint64 { return 0 }

// record appends the findings of method i after it was evaluated. It reads the values again, so that decisions without
// a trace pay no cost.
func (e *evaluation) record(i int) {
	m := &e.methods[i]
	if m.source == sourceComposite {
		e.recordParts(i)
		return
	}
	v := valueReader{method: m, req: e.req, state: e.state}
	for value := v.next(); value != nil; value = v.next() {
		text := string(value)
		result, at := e.examineAny(m, value)
		e.addFinding(i, text, result, at)
		if v.generated {
			(*e.state.trace)[len(*e.state.trace)-1].Name = m.generated.name
		}
		if result == ResultAlive || m.binding == hashed {
			return
		}
	}
	if at := e.d.Endpoint; at != none && m.binding == issued {
		e.addFinding(i, string(CookieValue(e.req, e.adoption.cookieOr(m.name))), ResultAdopted, at)
		return
	}
	if v.count == 1 {
		e.addFinding(i, "", ResultAbsent, none)
	}
}

// examineAny returns the result of m for one value. It is called after the decision, so d.Endpoint is the result of a
// hashed method.
func (e *evaluation) examineAny(m *method, value []byte) (Result, int) {
	switch m.binding {
	case hashed:
		return ResultHashed, e.d.Endpoint
	case issued:
		var t Token
		s, at := e.examine(value, &t)
		return tokenResults[s], at
	default:
		o := e.examineAppValue(m, value)
		return tokenResults[o.state], o.endpoint
	}
}

func (e *evaluation) addFinding(i int, value string, result Result, at int) {
	m := &e.methods[i]
	f := Finding{Method: i, Name: m.name, Value: value, Result: result, Endpoint: at}
	for name, source := range sources {
		if source == m.source {
			f.Source = name
		}
	}
	for name, binding := range bindings {
		if binding == m.binding {
			f.Binding = name
		}
	}
	switch m.source {
	case sourcePath:
		f.Name = strconv.Itoa(m.index)
	case sourceAddress:
		f.Value = e.req.ClientIP().String()
	case sourceComposite:
		f.Name = m.partNames()
	}
	*e.state.trace = append(*e.state.trace, f)
}

// cookieOr returns the cookie that is read for adoption. It is name unless the policy configures another one.
func (a *adoption) cookieOr(name string) string {
	if a == nil || a.cookie == nil {
		return name
	}
	return a.cookie.name
}
