package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Guests are no sessions, and no endpoint is full of them.
func TestGuestsFillNoEndpoint(t *testing.T) {
	a := affinityOf(headerMethod)
	a.MaxSessions, a.RefuseWhenFull = 10, true
	set := newSet("a b")
	set.guests = []int64{1000, 1000}
	if d := decideAt(Compile(a), &fakeRequest{}, set, testNow); d.Outcome != OutcomeNew || d.Endpoint == none {
		t.Errorf("%s on %d", outcomeOf(&d), d.Endpoint)
	}
}

// A client of whom nothing is known yet counts all the same: else all of them would go to the one endpoint that has the
// fewest sessions.
func TestClientsThatBringNothingAreSpreadByLeastSessions(t *testing.T) {
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
				t.Fatalf("%s: session %d, guest: %v", name, d.Session, d.Anonymous)
			}
			if d.Anonymous {
				set.guests[d.Endpoint]++
			} else {
				set.sessions[d.Endpoint]++
			}
		}
		for i, n := range set.sessions {
			if n += set.guests[i]; n != 200 {
				t.Errorf("%s: endpoint %d has %d sessions and guests of 600", name, i, n)
			}
		}
	}
}

// What the app gives a new client is what it will be recognised, and counted, by.
func TestANewClientIsCountedByWhatTheAppGivesIt(t *testing.T) {
	for binding, watchesAll := range map[model.Binding]bool{
		model.BindingNamed: false, model.BindingWrapped: true, model.BindingLearned: true,
	} {
		p, set := Compile(affinityOf(ownMethod(model.SourceCookie, binding))), newSet("pod-1 pod-2")
		m, ring := &ConnState{Learned: memoryStore{}}, newRing(t, 1)
		var d Decision
		p.Decide(&d, &fakeRequest{}, set, ring, m, testNow)
		if !d.Anonymous || !p.BindsResponse(&d) {
			t.Fatalf("%s: the answer to a new client is not looked at", binding)
		}
		out := p.BindResponse(nil, &d, []byte("Set-Cookie"), []byte("sid=1.pod-2; Path=/"), set, ring, m)
		given := d.Session
		if given == 0 || d.Anonymous {
			t.Fatalf("%s: still a guest", binding)
		}
		p.BindResponse(nil, &d, []byte("Set-Cookie"), []byte("sid=2.pod-2; Path=/"), set, ring, m)
		if d.Session != given {
			t.Errorf("%s: counted once more", binding)
		}
		value := "sid=1.pod-2"
		if len(out) > 0 {
			value = string(out[:len(out)-len("; Path=/")])
		}
		p.Decide(&d, &fakeRequest{cookies: []string{value}}, set, ring, m, testNow)
		if d.Outcome != OutcomeHit || d.Session != given {
			t.Errorf("%s: it comes back with %q, %s: counted as %d, then as %d", binding, value, d.Outcome, given, d.Session)
		}
		if p.BindsResponse(&d) != watchesAll {
			t.Errorf("%s: the answers to known clients are looked at: %v", binding, !watchesAll)
		}
	}
}
