package affinity

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// z is not an endpoint of the set. The wait depends on whether another replica may know it already.
func TestEndpointWait_freshToken(t *testing.T) {
	waiting := func(a *model.Affinity) {
		a.Unavailable.Action, a.Unavailable.Wait = model.UnavailableWait, 3*time.Second
	}
	for _, c := range []struct {
		name     string
		change   func(*model.Affinity)
		renewed  int64 // seconds relative to now
		departed []string
		wait     time.Duration
		outcome  string
	}{
		{"sealed just now", nil, 0, nil, propagationDelay, "moved/gone"},
		{"sealed a moment ago", nil, -freshTokenAge, nil, propagationDelay, "moved/gone"},
		{"sealed by a clock ahead", nil, 60, nil, propagationDelay, "moved/gone"},
		{"sealed before that", nil, -freshTokenAge - 1, nil, 0, "moved/gone"},
		{"it was here, and has left", nil, 0, []string{"y", "z"}, 0, "moved/gone"},
		{"another one has left", nil, 0, []string{"y"}, propagationDelay, "moved/gone"},
		{"before a refusal", strict, 0, nil, propagationDelay, "refused/gone"},
		{"a refusal that nothing can change", strict, 0, []string{"z"}, 0, "refused/gone"},
		{"as long as the policy says", waiting, 0, []string{"z"}, 3 * time.Second, "moved/gone"},
	} {
		a := affinityOf(cookieMethod)
		if c.change != nil {
			c.change(a)
		}
		ring, set := newRing(t, 1), newSet("a b c")
		set.departed = c.departed
		req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "z", session: 77, renewed: c.renewed}})}
		d := decideBy(Compile(a), ring, req, set)
		if d.EndpointWait != c.wait || outcomeOf(&d) != c.outcome {
			t.Errorf("%s: %s after %s, want %s after %s", c.name, outcomeOf(&d), d.EndpointWait, c.outcome, c.wait)
		}
		again := newSet("a b c z")
		if d := decideBy(Compile(a), ring, req, again); outcomeOf(&d) != "hit" || d.EndpointWait != 0 {
			t.Errorf("%s, after it has joined: %s after %s", c.name, outcomeOf(&d), d.EndpointWait)
		}
	}
}

// An endpoint of the set that drains without keeping sessions is not waited for.
func TestEndpointWait_draining(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.KeepDraining = false
	ring := newRing(t, 1)
	req := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "b", session: 77}})}
	if d := decideBy(Compile(a), ring, req, newSet("a | b")); d.EndpointWait != 0 || outcomeOf(&d) != "moved/gone" {
		t.Errorf("%s after %s", outcomeOf(&d), d.EndpointWait)
	}
}

func TestEndpointWait_wrappedToken(t *testing.T) {
	p, ring := Compile(affinityOf(ownMethod(model.SourceHeader, model.BindingWrapped))), newRing(t, 1)
	m, current := &ConnState{}, newSet("z")
	var d Decision
	p.Decide(&d, &fakeRequest{}, current, ring, m, testNow)
	value := string(p.BindResponse(nil, &d, []byte("X-Session-Id"), []byte("mine"), current, ring, m))
	for now, wait := range map[int64]time.Duration{testNow: propagationDelay, testNow + freshTokenAge + 1: 0} {
		p.Decide(&d, &fakeRequest{header: value}, newSet("a b"), ring, m, now)
		if d.EndpointWait != wait || outcomeOf(&d) != "moved/gone" {
			t.Errorf("after %d s: %s after %s, want %s", now-testNow, outcomeOf(&d), d.EndpointWait, wait)
		}
	}
}
