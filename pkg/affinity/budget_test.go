package affinity

import (
	"math"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// budgeted returns a policy that diverts sessions above 1.5 times the mean, but never below 4 active requests.
func budgeted(methods ...model.Method) *Policy {
	a := affinityOf(methods...)
	a.StickyBudget = model.StickyBudget{BalanceFactor: 150, MinRequests: 4}
	return Compile(a)
}

func decideBy(p *Policy, ring *Keyring, req Request, set Set) Decision {
	var d Decision
	p.Decide(&d, req, set, ring, &ConnState{}, testNow)
	return d
}

// The session of the token belongs to b, whose load rises.
func TestBudget_divertsWhileBusy(t *testing.T) {
	p, ring := budgeted(cookieMethod), newRing(t, 1)
	req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "b", session: 77}})}
	for _, c := range []struct {
		requests []int64
		want     string
	}{
		{[]int64{0, 3, 0}, "hit"},                     // fewer than 4
		{[]int64{0, 4, 0}, "moved/full"},              // 5 with this request
		{[]int64{10, 15, 10}, "hit"},                  // mean 12 with this request, bound 18
		{[]int64{10, 20, 10}, "hit"},                  // mean 13 2/3, bound 20.5
		{[]int64{10, 21, 10}, "moved/full"},           // mean 14, bound 21
		{[]int64{10, math.MaxInt64, 10}, "hit"},       // refuses connections: not busy
		{[]int64{math.MaxInt64, 21, 5}, "moved/full"}, // diverted to c, because a refuses connections
	} {
		set := newSet("a b c")
		set.requests = c.requests
		d := decideBy(p, ring, req, set)
		if outcomeOf(&d) != c.want || (d.Endpoint == 1) != (c.want == "hit") {
			t.Errorf("with %v active: %s on %d, want %s", c.requests, outcomeOf(&d), d.Endpoint, c.want)
		}
		if d.Issue {
			t.Errorf("with %v active: token issued for an unchanged session", c.requests)
		}
		if counted := d.Session != 0; counted != (c.want == "hit") {
			t.Errorf("with %v active: session counted: %v", c.requests, counted)
		}
	}
}

func TestBudget_sameEndpointEachTime(t *testing.T) {
	p, ring := budgeted(cookieMethod), newRing(t, 1)
	seen := map[int]bool{}
	for session := range uint64(50) {
		req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", session: session + 1}})}
		set := newSet("a b c d e f")
		set.requests[0] = 50
		first := decideBy(p, ring, req, set).Endpoint
		set.requests[first]++
		if again := decideBy(p, ring, req, set).Endpoint; again != first {
			t.Errorf("session %d diverted to %d, then to %d", session, first, again)
		}
		seen[first] = true
	}
	if len(seen) != 5 {
		t.Errorf("50 sessions diverted only to %v", seen)
	}
}

// A diverted request renews a token that is due. The token still names the endpoint of the session.
func TestBudget_renewedTokenKeepsEndpoint(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.StickyBudget = model.StickyBudget{BalanceFactor: 150, MinRequests: 4}
	a.IdleTimeout = 100e9
	p, ring, m := Compile(a), newRing(t, 1), &ConnState{}
	set := newSet("a b c")
	set.requests[1] = 50
	var d Decision
	req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "b", session: 77}})}
	p.Decide(&d, req, set, ring, m, testNow+60)
	if outcomeOf(&d) != "moved/full" || !d.Issue {
		t.Fatalf("outcome %s, issues %v", outcomeOf(&d), d.Issue)
	}
	var token Token
	text := p.AppendToken(nil, &d, set, ring, m, false)[len("cart-id="):][:TokenLen]
	if !ring.Open(&ConnState{}, text, &token) || token.Endpoint != model.KeyOf("b") || token.Renewed != testNow+60 {
		t.Errorf("the token is %+v", token)
	}
}

func TestBudget_appValue(t *testing.T) {
	p := budgeted(ownMethod(model.SourceHeader, model.BindingNamed))
	set := newSet("pod-1 pod-2 pod-3")
	set.requests[1] = 50
	d := decideAt(p, &fakeRequest{header: "s1.pod-2"}, set, testNow)
	if outcomeOf(&d) != "moved/full" || d.Endpoint == 1 {
		t.Errorf("%s on %d", outcomeOf(&d), d.Endpoint)
	}
}

func TestBudget_hashedAndDrainingStay(t *testing.T) {
	set := newSet("a b | c")
	set.requests = []int64{50, 0, 50}
	p := budgeted(headerMethod)
	for n := range 50 {
		if d := decideAt(p, keyed(n), set, testNow); d.Outcome != OutcomeHit {
			t.Errorf("client %d, hashed: %s", n, outcomeOf(&d))
		}
	}
	ring := newRing(t, 1)
	req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "c", session: 77}})}
	if d := decideBy(budgeted(cookieMethod), ring, req, set); d.Outcome != OutcomeHit || d.Endpoint != 2 {
		t.Errorf("on a draining endpoint: %s on %d", outcomeOf(&d), d.Endpoint)
	}
}

func TestBudget_noOtherEndpoint(t *testing.T) {
	p, ring := budgeted(cookieMethod), newRing(t, 1)
	req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", session: 77}})}
	for _, requests := range [][]int64{{50, math.MaxInt64}, {50}} {
		set := newSet("a b"[:2*len(requests)-1])
		set.requests = requests
		if d := decideBy(p, ring, req, set); d.Outcome != OutcomeHit || d.Endpoint != 0 {
			t.Errorf("with %v active: %s on %d", requests, outcomeOf(&d), d.Endpoint)
		}
	}
}
