package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// TestFindSession_started covers ADR 30: if a session exists in two backends, the older one is used.
func TestFindSession_started(t *testing.T) {
	ring := newRing(t, 1)
	cookie := func(endpoint string) *fakeRequest {
		return &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: endpoint, bound: -50, renewed: -10}})}
	}
	wrapping := Compile(affinityOf(ownMethod(model.SourceHeader, model.BindingWrapped)))
	wrap := func(endpoint int) *fakeRequest {
		d := Decision{Endpoint: endpoint, Outcome: OutcomeNew, now: testNow - 50}
		value := wrapping.BindResponse(nil, &d, []byte("X-Session-Id"), []byte("mine"), newSet("a b z"), ring, &ConnState{})
		return &fakeRequest{header: string(value)}
	}
	for name, c := range map[string]struct {
		policy *Policy
		req    *fakeRequest
		want   SessionState
		since  int64
	}{
		"issued, alive":  {Compile(affinityOf(cookieMethod)), cookie("b"), SessionAlive, testNow - 50},
		"issued, gone":   {Compile(affinityOf(cookieMethod)), cookie("z"), SessionLost, testNow - 50},
		"wrapped, alive": {wrapping, wrap(1), SessionAlive, testNow - 50},
		"wrapped, gone":  {wrapping, wrap(2), SessionLost, testNow - 50},
		"no session":     {Compile(affinityOf(cookieMethod)), &fakeRequest{}, SessionUnknown, 0},
	} {
		state, started := c.policy.FindSession(c.req, newSet("a b"), ring, &ConnState{}, testNow)
		if state != c.want || started != c.since {
			t.Errorf("%s: state %d, started %d; want %d, started %d", name, state, started-testNow, c.want, c.since-testNow)
		}
	}
}

// The first method whose session is lost determines the outcome.
func TestDecide_firstLostSession(t *testing.T) {
	p := Compile(affinityOf(
		ownMethod(model.SourceCookie, model.BindingNamed), ownMethod(model.SourceHeader, model.BindingNamed)))
	var d Decision
	p.Decide(&d, &fakeRequest{cookies: []string{"sid=1.z"}, header: "2.y"}, newSet("a b"), nil, &ConnState{}, testNow)
	if outcomeOf(&d) != "moved/gone" || d.Method != 0 || d.Session != hashOf("1.z") {
		t.Errorf("%s by method %d, session %x; want moved/gone by method 0, session %x", outcomeOf(&d), d.Method, d.Session,
			hashOf("1.z"))
	}
}
