package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Anonymous requests do not count toward the maximum number of sessions.
func TestAnonymous_notCountedAsSession(t *testing.T) {
	a := affinityOf(headerMethod)
	a.MaxSessions, a.RefuseWhenFull = 10, true
	set := newSet("a b")
	set.anonymous = []int64{1000, 1000}
	if d := decideAt(Compile(a), &fakeRequest{}, set, testNow); d.Outcome != OutcomeNew || d.Endpoint == none {
		t.Errorf("%s on %d", outcomeOf(&d), d.Endpoint)
	}
}

// Anonymous requests count as sessions for PickLeastSessions. Otherwise all new clients would use the endpoint with
// the fewest sessions.
func TestAnonymous_leastSessions(t *testing.T) {
	for name, method := range map[string]model.Method{
		"named": ownMethod(model.SourceCookie, model.BindingNamed), "wrapped": ownMethod(model.SourceCookie, model.BindingWrapped),
		"learned": ownMethod(model.SourceCookie, model.BindingLearned), "hashed": headerMethod, "issued": cookieMethod,
	} {
		a := affinityOf(method)
		a.Pick = model.PickLeastSessions
		p, set := Compile(a), newSet("a b c")
		set.sessions = []int64{100, 101, 99}
		for range 300 {
			d := decideAt(p, &fakeRequest{}, set, testNow)
			if d.Anonymous == (name == "issued") || d.Anonymous == (d.Session != 0) {
				t.Fatalf("%s: session %d, anonymous: %v", name, d.Session, d.Anonymous)
			}
			if d.Anonymous {
				set.anonymous[d.Endpoint]++
			} else {
				set.sessions[d.Endpoint]++
			}
		}
		for i, n := range set.sessions {
			if n += set.anonymous[i]; n != 200 {
				t.Errorf("%s: endpoint %d has %d of 600 sessions and anonymous requests", name, i, n)
			}
		}
	}
}

// After the app sets a value, the client is recognized and counted by that value.
func TestBindResponse_identifiesAnonymous(t *testing.T) {
	for binding, watchesAll := range map[model.Binding]bool{
		model.BindingNamed: false, model.BindingWrapped: true, model.BindingLearned: true,
	} {
		p, set := Compile(affinityOf(ownMethod(model.SourceCookie, binding))), newSet("pod-1 pod-2")
		m, ring := &ConnState{Learned: memoryStore{}}, newRing(t, 1)
		var d Decision
		p.Decide(&d, &fakeRequest{}, set, ring, m, testNow)
		if !d.Anonymous || !p.BindsResponse(&d) {
			t.Fatalf("%s: the response to a new client is not bound", binding)
		}
		out := p.BindResponse(nil, &d, []byte("Set-Cookie"), []byte("sid=1.pod-2; Path=/"), set, ring, m)
		given := d.Session
		if given == 0 || d.Anonymous {
			t.Fatalf("%s: still anonymous", binding)
		}
		p.BindResponse(nil, &d, []byte("Set-Cookie"), []byte("sid=2.pod-2; Path=/"), set, ring, m)
		if d.Session != given {
			t.Errorf("%s: counted again", binding)
		}
		value := "sid=1.pod-2"
		if len(out) > 0 {
			value = string(out[:len(out)-len("; Path=/")])
		}
		p.Decide(&d, &fakeRequest{cookies: []string{value}}, set, ring, m, testNow)
		if d.Outcome != OutcomeHit || d.Session != given {
			t.Errorf("%s: next request with %q, %s: session %d, then %d", binding, value, d.Outcome, given, d.Session)
		}
		if p.BindsResponse(&d) != watchesAll {
			t.Errorf("%s: BindsResponse for known clients: %v", binding, !watchesAll)
		}
	}
}
