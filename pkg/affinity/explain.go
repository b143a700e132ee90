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

var standingResults = [...]Result{
	absent: ResultAbsent, foreign: ResultForeign, expired: ResultExpired, gone: ResultGone, alive: ResultAlive,
}

// Explain decides as Decide does, and returns what each method found that was asked: those up to the first that recognized
// the client. It counts nothing and moves no session. Whether one may move for reason rebalanced it answers as if the rate of
// such moves were not exhausted, and where endpoints are picked in turn another one may be picked for the next request.
// Unlike Decide it allocates.
func (p *Policy) Explain(d *Decision, req Request, set Set, keys *Keyring, m *Memory, now int64) []Finding {
	var findings []Finding
	m.trace = &findings
	p.Decide(d, req, observedSet{set}, keys, m, now)
	m.trace = nil
	return findings
}

// observedSet is a Set that is looked at and not changed.
type observedSet struct{ Set }

// MayMove is part of Set.
func (observedSet) MayMove(int64, int64) bool { return true }

// Turn is part of Set.
func (observedSet) Turn() uint64 { return 0 }

// record adds what method i, which has just been asked, makes of the values that it finds. It looks at them once more, so that
// decisions without a trace pay nothing.
func (c *call) record(i int) {
	m := &c.methods[i]
	v := values{method: m, req: c.req, mem: c.mem}
	for value := v.next(); value != nil; value = v.next() {
		text := string(value)
		result, at := c.examineAny(m, value)
		c.addFinding(i, text, result, at)
		if result == ResultAlive || m.binding == hashed {
			return
		}
	}
	if at := c.d.Endpoint; at != none && m.binding == issued {
		c.addFinding(i, string(CookieValue(c.req, c.adopt.cookieOr(m.name))), ResultAdopted, at)
		return
	}
	if v.seen == 1 {
		c.addFinding(i, "", ResultAbsent, none)
	}
}

// examineAny returns what m makes of one value. The decision has been made: where it is by hash, its endpoint is that of m.
func (c *call) examineAny(m *method, value []byte) (Result, int) {
	switch m.binding {
	case hashed:
		return ResultHashed, c.d.Endpoint
	case issued:
		var t Token
		s, at := c.examine(value, &t)
		return standingResults[s], at
	default:
		o := c.examineOwn(m, value)
		return standingResults[o.standing], o.at
	}
}

func (c *call) addFinding(i int, value string, result Result, at int) {
	m := &c.methods[i]
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
	case fromPath:
		f.Name = strconv.Itoa(m.index)
	case fromAddress:
		f.Value = c.req.ClientIP().String()
	}
	*c.mem.trace = append(*c.mem.trace, f)
}

// cookieOr returns the cookie in which the other controller's value is looked for, which is name unless the policy says
// otherwise.
func (a *adoption) cookieOr(name string) string {
	if a == nil || a.cookie == "" {
		return name
	}
	return a.cookie
}
