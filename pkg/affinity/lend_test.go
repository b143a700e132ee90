package affinity

import (
	"bytes"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// lendCase has the ready endpoints a, b and c. The pod z is not ready, and y does not exist.
type lendCase struct {
	name     string
	methods  []model.Method
	notReady model.NotReadyAction
	action   model.UnavailableAction
	cookies  []sealed
	header   string
	outcome  string
	issues   bool
	wait     time.Duration
}

func (c *lendCase) decide(t *testing.T) (*Policy, *Decision, *fakeSet) {
	t.Helper()
	a := affinityOf(c.methods...)
	a.IdleTimeout = time.Hour
	a.Unavailable = model.Unavailable{Action: c.action, NotReady: c.notReady, Wait: 3 * time.Second}
	p, set, ring := Compile(a), newSet("a b c"), newRing(t, 1)
	set.notReady = []string{"z"}
	req := &fakeRequest{cookies: cookieField(t, ring, c.cookies), header: c.header, ip: ipOnA}
	var d Decision
	p.Decide(&d, req, set, ring, &ConnState{}, testNow)
	return p, &d, set
}

func TestDecide_notReady(t *testing.T) {
	issued := []model.Method{cookieMethod}
	named := []model.Method{ownMethod(model.SourceHeader, model.BindingNamed)}
	onZ := []sealed{{name: "cart-id", endpoint: "z", session: 77}}
	onY := []sealed{{name: "cart-id", endpoint: "y", session: 77, renewed: -60}}
	due := []sealed{{name: "cart-id", endpoint: "z", session: 77, renewed: -2000}}
	old := []sealed{{name: "cart-id", endpoint: "z", session: 77, bound: -7200, renewed: -7200}}
	lend, wait, fail := model.NotReadyLend, model.NotReadyWait, model.UnavailableFail
	for _, c := range []lendCase{
		{name: "move", cookies: onZ, outcome: "moved/gone", issues: true, wait: propagationDelay},
		{name: "move, fail", cookies: onZ, action: fail, outcome: "refused/gone", wait: propagationDelay},
		{name: "lend", notReady: lend, cookies: onZ, outcome: "lent/lent"},
		{name: "lend, fail", notReady: lend, action: fail, cookies: onZ, outcome: "lent/lent"},
		{name: "lend, gone", notReady: lend, cookies: onY, outcome: "moved/gone", issues: true},
		{name: "lend, gone, fail", notReady: lend, action: fail, cookies: onY, outcome: "refused/gone"},
		{name: "lend, expired", notReady: lend, cookies: old, outcome: "moved/expired", issues: true},
		{name: "lend, renewal is due", notReady: lend, cookies: due, outcome: "lent/lent", issues: true},
		{name: "wait", notReady: wait, cookies: onZ, outcome: "moved/gone", issues: true, wait: 3 * time.Second},
		{name: "wait, fail", notReady: wait, action: fail, cookies: onZ, outcome: "refused/gone", wait: 3 * time.Second},
		{name: "wait, gone", notReady: wait, cookies: onY, outcome: "moved/gone", issues: true},
		{
			name: "lend, before another method", notReady: lend, cookies: onZ, header: headerOnB, outcome: "lent/lent",
			methods: []model.Method{cookieMethod, headerMethod},
		},
		{
			name: "lend, after an absent cookie", notReady: lend, outcome: "lent/lent",
			methods: []model.Method{oldCookieMethod, cookieMethod}, cookies: onZ,
		},
		{
			name: "lend, before an absent cookie", notReady: lend, outcome: "lent/lent",
			methods: []model.Method{cookieMethod, oldCookieMethod}, cookies: onZ,
		},
		{
			name: "lend, before an expired cookie", notReady: lend, outcome: "lent/lent",
			methods: []model.Method{cookieMethod, oldCookieMethod},
			cookies: append([]sealed{{name: "old-id", endpoint: "a", session: 7, bound: -7200, renewed: -7200}}, onZ...),
		},
		{name: "named, move", methods: named, header: "id.z", outcome: "moved/gone"},
		{name: "named, lend", methods: named, notReady: lend, header: "id.z", outcome: "lent/lent"},
		{name: "named, lend, gone", methods: named, notReady: lend, header: "id.y", outcome: "moved/gone"},
		{name: "named, wait", methods: named, notReady: wait, header: "id.z", outcome: "moved/gone", wait: 3 * time.Second},
		{name: "named, wait, gone", methods: named, notReady: wait, header: "id.y", outcome: "moved/gone"},
	} {
		if c.methods == nil {
			c.methods = issued
		}
		_, d, _ := c.decide(t)
		if outcomeOf(d) != c.outcome || d.Issue != c.issues || d.EndpointWait != c.wait {
			t.Errorf("%s: %s, issue %v, wait %s; want %s, %v, %s",
				c.name, outcomeOf(d), d.Issue, d.EndpointWait, c.outcome, c.issues, c.wait)
		}
		if hasPod := d.Endpoint != none; hasPod == (d.Outcome == OutcomeRefused) {
			t.Errorf("%s: endpoint %d with outcome %s", c.name, d.Endpoint, d.Outcome)
		}
	}
}

func TestLend_samePodForAllRequests(t *testing.T) {
	pods := map[int]bool{}
	for session := range uint64(64) {
		c := lendCase{methods: []model.Method{cookieMethod}, notReady: model.NotReadyLend}
		c.cookies = []sealed{{name: "cart-id", endpoint: "z", session: session + 1}}
		_, first, _ := c.decide(t)
		_, second, _ := c.decide(t)
		if first.Endpoint != second.Endpoint || first.Session != 0 || first.Anonymous {
			t.Fatalf("decided %+v, then %+v", first, second)
		}
		pods[first.Endpoint] = true
	}
	if len(pods) != 3 {
		t.Errorf("all sessions are lent to the pods %v, want all three", pods)
	}
}

func TestLend_fullPods(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.MaxSessions, a.RefuseWhenFull, a.Unavailable.NotReady = 1, true, model.NotReadyLend
	p, set, ring := Compile(a), newSet("a"), newRing(t, 1)
	set.notReady, set.sessions = []string{"z"}, []int64{5}
	req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "z", session: 77}})}
	var d Decision
	if p.Decide(&d, req, set, ring, &ConnState{}, testNow); outcomeOf(&d) != "lent/lent" || d.Endpoint != 0 {
		t.Errorf("decided %s on %d", outcomeOf(&d), d.Endpoint)
	}
}

func TestLend_nextAfterFailure(t *testing.T) {
	c := lendCase{methods: []model.Method{cookieMethod}, notReady: model.NotReadyLend, action: model.UnavailableFail}
	c.cookies = []sealed{{name: "cart-id", endpoint: "z", session: 77}}
	p, d, set := c.decide(t)
	seen := map[int]bool{d.Endpoint: true}
	for at := p.Next(d, &fakeRequest{}, set); at != none; at = p.Next(d, &fakeRequest{}, set) {
		seen[at] = true
	}
	if len(seen) != 3 || d.Outcome != OutcomeLent || d.Issue {
		t.Errorf("tried %v, decided %+v", seen, d)
	}
}

func TestLend_renewedTokenNamesOwnPod(t *testing.T) {
	c := lendCase{methods: []model.Method{cookieMethod}, notReady: model.NotReadyLend}
	c.cookies = []sealed{{name: "cart-id", endpoint: "z", session: 77, renewed: -2000}}
	p, d, set := c.decide(t)
	ring := newRing(t, 1)
	text := p.AppendToken(nil, d, set, ring, &ConnState{}, false)
	var token Token
	if !ring.Open(&ConnState{}, text[len("cart-id="):][:TokenLen], &token) {
		t.Fatalf("no token in %s", text)
	}
	if token.Endpoint != model.KeyOf("z") || token.Session != 77 || token.Renewed != testNow {
		t.Errorf("renewed as %+v", token)
	}
}

// An app may repeat the session id in each response. That must not bind the session to the pod that serves it meanwhile.
func TestLend_repeatedValue(t *testing.T) {
	for _, binding := range []model.Binding{model.BindingLearned, model.BindingWrapped} {
		a := affinityOf(ownMethod(model.SourceHeader, binding))
		a.Unavailable.NotReady = model.NotReadyLend
		p, set, ring := Compile(a), newSet("z"), newRing(t, 1)
		state := &ConnState{Learned: memoryStore{}}
		name, value := []byte("X-Session-Id"), []byte("id-1")
		var d Decision
		exchange := func(sent string) (outcome, received string) {
			p.Decide(&d, &fakeRequest{header: sent}, set, ring, state, testNow)
			out := p.BindResponse(nil, &d, name, value, set, ring, state)
			p.Relearn(&d, &fakeRequest{header: sent}, set, state, 200)
			if len(out) == 0 {
				out = bytes.Clone(value)
			}
			return outcomeOf(&d), string(out)
		}
		_, id := exchange("")
		set = newSet("a b c")
		set.notReady = []string{"z"}
		for range 2 {
			outcome, received := exchange(id)
			if outcome != "lent/lent" {
				t.Fatalf("%s: %s while the pod is not ready", binding, outcome)
			}
			id = received
		}
		set = newSet("a b c z")
		if outcome, _ := exchange(id); outcome != "hit" || set.name(d.Endpoint) != "z" {
			t.Errorf("%s: %s on %s after the pod is ready", binding, outcome, set.name(d.Endpoint))
		}
	}
}

func TestFindSession_lent(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Unavailable.NotReady = model.NotReadyLend
	p, ring := Compile(a), newRing(t, 1)
	req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "z", session: 77, bound: -9}})}
	for ids, want := range map[string]SessionState{"a b": SessionAlive, "": SessionLost} {
		set := newSet(ids)
		set.notReady = []string{"z"}
		got, started := p.FindSession(req, set, ring, &ConnState{}, testNow)
		if got != want || started != testNow-9 {
			t.Errorf("endpoints %q: state %d since %d", ids, got, started)
		}
	}
}

func TestMovedHeader_lent(t *testing.T) {
	p := Compile(&model.Affinity{Methods: []model.Method{cookieMethod}, MovedHeader: "X-Moved"})
	name, why := p.MovedHeader(&Decision{Outcome: OutcomeLent, Reason: ReasonLent})
	if string(name) != "X-Moved" || why != "lent" {
		t.Errorf("header %q: %q", name, why)
	}
}

func TestLend_afterFailedConnection(t *testing.T) {
	onB := []sealed{{name: "cart-id", endpoint: "b", session: 77}}
	for _, c := range []struct {
		name     string
		notReady model.NotReadyAction
		set      string
		outcome  Outcome
	}{
		{"lend", model.NotReadyLend, "a b c", OutcomeLent},
		{"lend, draining", model.NotReadyLend, "a c (b)", OutcomeMoved},
		{"move", "", "a b c", OutcomeMoved},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := affinityOf(cookieMethod)
			a.Unavailable.NotReady = c.notReady
			p, set, ring := Compile(a), newSet(c.set), newRing(t, 1)
			req := &fakeRequest{cookies: cookieField(t, ring, onB), ip: ipOnA}
			var d Decision
			p.Decide(&d, req, set, ring, &ConnState{}, testNow)
			if at := p.Next(&d, req, set); at < 0 || set.ids[at] == "b" || d.Outcome != c.outcome {
				t.Fatalf("next is %d with outcome %v, want another endpoint and %v", at, d.Outcome, c.outcome)
			}
			if d.Issue != (c.outcome == OutcomeMoved) {
				t.Errorf("issues a token: %v", d.Issue)
			}
		})
	}
}
