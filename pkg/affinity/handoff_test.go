package affinity

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func handingOff(change func(*model.Affinity)) *Policy {
	a := affinityOf(cookieMethod)
	a.Handoff = &model.Handoff{AfterIdle: 100 * time.Second, Header: "X-Session-Handoff", MaxPerMinute: 7}
	if change != nil {
		change(a)
	}
	return Compile(a)
}

// decideHandoff decides a request of session 77, whose token names endpoint a.
func decideHandoff(t *testing.T, p *Policy, set *fakeSet, renewed int64) (d Decision) {
	t.Helper()
	ring := newRing(t, 1)
	cookies := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", session: 77, bound: -5000, renewed: renewed}})
	p.Decide(&d, &fakeRequest{cookies: cookies}, set, ring, &ConnState{}, testNow)
	return d
}

func TestHandoff_idleTime(t *testing.T) {
	for _, c := range []struct {
		name           string
		age, drained   int64 // seconds ago
		set            string
		want, endpoint string
		issue          bool
	}{
		{"the token is new", 10, 1000, "b c | a", "hit", "a", false},
		{"the token is renewed at half of the time", 50, 1000, "b c | a", "hit", "a", true},
		{"a request without a renewal may be younger", 149, 1000, "b c | a", "hit", "a", true},
		{"idle", 150, 1000, "b c | a", "moved/handoff", "b", true},
		{"the drain has just begun", 1000, 149, "b c | a", "hit", "a", true},
		{"idle since the drain began", 1000, 150, "b c | a", "moved/handoff", "b", true},
		{"the pod is ready", 1000, 1000, "a b c", "hit", "a", false},
	} {
		set := newSet(c.set)
		set.since[len(set.since)-1] = testNow - c.drained
		d := decideHandoff(t, handingOff(nil), set, -c.age)
		if outcomeOf(&d) != c.want || set.name(d.Endpoint) != c.endpoint || d.Issue != c.issue || d.Session != 77 {
			t.Errorf("%s: %s on %s, issue %v; want %s on %s, issue %v", c.name, outcomeOf(&d), set.name(d.Endpoint), d.Issue,
				c.want, c.endpoint, c.issue)
		}
		if moved := d.Outcome == OutcomeMoved; moved != (set.name(d.HandoffFrom) == "a") || moved && d.Token.Started != testNow-5000 {
			t.Errorf("%s: from %d, started %d", c.name, d.HandoffFrom, d.Token.Started)
		}
	}
}

// The endpoint decides whether the session has requests in flight, so it must get the limits of the policy.
func TestHandoff_limits(t *testing.T) {
	set := newSet("b c | a")
	decideHandoff(t, handingOff(nil), set, -1000)
	if m := set.move; m.AfterIdle != 100 || m.PerMinute != 7 || m.Session != 77 || m.From != 2 {
		t.Errorf("%+v", m)
	}
}

func TestHandoff_laterRequestsFollow(t *testing.T) {
	set, p := newSet("b c d e | a"), handingOff(nil)
	first := decideHandoff(t, p, set, -1000)
	for range 3 {
		d := decideHandoff(t, p, set, -1000)
		if outcomeOf(&d) != "hit" || d.Endpoint != first.Endpoint || d.HandoffFrom != 4 || !d.Issue {
			t.Errorf("%s on %d, from %d, issue %v: want a hit on %d", outcomeOf(&d), d.Endpoint, d.HandoffFrom, d.Issue, first.Endpoint)
		}
		if name := p.HandoffHeader(&d); string(name) != "X-Session-Handoff" {
			t.Errorf("the app gets %q", name)
		}
	}
}

// Replicas choose the same endpoint for a session, and different ones for different sessions.
func TestHandoff_placement(t *testing.T) {
	counts, ring := map[string]int{}, newRing(t, 1)
	for session := range uint64(300) {
		cookies := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", session: model.Mix(session + 1), renewed: -1000}})
		var at [2]string
		for i, set := range []*fakeSet{newSet("b c d | a"), newSet("b c d | a")} {
			var d Decision
			handingOff(nil).Decide(&d, &fakeRequest{cookies: cookies}, set, ring, &ConnState{}, testNow)
			at[i] = set.name(d.Endpoint)
		}
		if counts[at[0]]++; at[0] != at[1] {
			t.Errorf("session %d: %s and %s", session, at[0], at[1])
		}
	}
	for _, name := range []string{"b", "c", "d"} {
		if counts[name] < 70 {
			t.Errorf("%v", counts)
		}
	}
}

func TestHandoff_drainTimeout(t *testing.T) {
	p := handingOff(func(a *model.Affinity) { a.DrainTimeout = 300 * time.Second })
	for since, want := range map[int64]string{299: "hit", 300: "moved/handoff"} {
		set := newSet("b c | a")
		set.since[2] = testNow - since
		if d := decideHandoff(t, p, set, -1); outcomeOf(&d) != want || want != "hit" && (!d.Issue || set.move.AfterIdle != 0) {
			t.Errorf("a busy session, %d s after the drain began: %s, issue %v, want %s", since, outcomeOf(&d), d.Issue, want)
		}
	}
}

func TestHandoff_unreachableEndpoint(t *testing.T) {
	p := handingOff(func(a *model.Affinity) { a.Unavailable.Action = model.UnavailableFail })
	set := newSet("b c | a")
	for range 2 { // the second request moves the session again
		d := decideHandoff(t, p, set, -1000)
		if at := p.Next(&d, &fakeRequest{}, set); set.name(at) != "a" || outcomeOf(&d) != "hit" || d.HandoffFrom != none {
			t.Errorf("%s on %d, from %d: want a hit on the old endpoint", outcomeOf(&d), at, d.HandoffFrom)
		}
		if len(set.handedOff) > 0 {
			t.Error("later requests follow to the endpoint that cannot be reached")
		}
	}
}

// The new endpoint serves the session already. One failed connection does not bring it back, and does not replace its token.
func TestHandoff_failureOfALaterRequest(t *testing.T) {
	set, p := newSet("b c | a"), handingOff(nil)
	decideHandoff(t, p, set, -1000)
	d := decideHandoff(t, p, set, -1000)
	if at := p.Next(&d, &fakeRequest{}, set); set.name(at) != "a" || d.Issue {
		t.Errorf("served by %d, issue %v: want the old endpoint, without a token", at, d.Issue)
	}
	if len(set.handedOff) != 1 {
		t.Errorf("%d sessions have moved, want 1", len(set.handedOff))
	}
}

// Later requests are not diverted to a third endpoint, which could not know that the state is at the new one.
func TestHandoff_busyEndpoint(t *testing.T) {
	p := handingOff(func(a *model.Affinity) { a.StickyBudget = model.StickyBudget{BalanceFactor: 110, MinRequests: 1} })
	set := newSet("b c | a")
	first := decideHandoff(t, p, set, -1000)
	set.requests[first.Endpoint] = 1000
	if d := decideHandoff(t, p, set, -1000); d.Endpoint != first.Endpoint {
		t.Errorf("%s on %d, want %d", outcomeOf(&d), d.Endpoint, first.Endpoint)
	}
}

func TestHandoff_explainHasNoEffect(t *testing.T) {
	set, p, ring := newSet("b c | a"), handingOff(nil), newRing(t, 1)
	cookies := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", session: 77, renewed: -1000}})
	var d Decision
	p.Explain(&d, &fakeRequest{cookies: cookies}, set, ring, &ConnState{}, testNow)
	if outcomeOf(&d) != "moved/handoff" || len(set.handedOff) > 0 {
		t.Errorf("%s, %v", outcomeOf(&d), set.handedOff)
	}
}

func TestHandoff_clientsCannotSendHeader(t *testing.T) {
	p := handingOff(nil)
	for _, name := range []string{"X-Session-Handoff", "x-session-handoff", "X_Session_Handoff"} {
		if _, ok := p.ForwardHeader([]byte(name), []byte(`address="10.0.0.1:80"`), newRing(t, 1)); ok || p.ForwardsTrailer([]byte(name)) {
			t.Errorf("%s reaches the app", name)
		}
	}
	for name, p := range map[string]*Policy{
		"another policy": (*UsedNames)(nil).Compile(affinityOf(cookieMethod), "X-Other", "X-Session-Handoff"),
		"no policy":      Balance("", "X-Other", "X-Session-Handoff"),
	} {
		_, ok := p.ForwardHeader([]byte("x_session_handoff"), []byte("x"), newRing(t, 1))
		_, other := p.ForwardHeader([]byte("X-Session"), []byte("x"), newRing(t, 1))
		if ok || !other || p.ForwardsTrailer([]byte("X-Session-Handoff")) || !p.EditsHeaders() {
			t.Errorf("%s: the reserved header reaches the app: %v; another one does: %v", name, ok, other)
		}
	}
	if Balance("").EditsHeaders() {
		t.Error("a header is reserved for all backends")
	}
}
