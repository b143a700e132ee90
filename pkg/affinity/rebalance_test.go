package affinity

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func restless(perMinute int32) *Policy {
	a := affinityOf(cookieMethod)
	a.Rebalance = model.Rebalance{AfterIdle: 100 * time.Second, MaxPerMinute: perMinute}
	return Compile(a)
}

func TestRebalance_idleSession(t *testing.T) {
	ring := newRing(t, 1)
	for _, c := range []struct {
		name     string
		idle     int64
		sessions []int64
		set      string
		want     string
		endpoint string
		issue    bool
	}{
		{"just seen", 10, []int64{9, 0}, "a b", "hit", "a", false},
		{"seen within the time, perhaps", 149, []int64{9, 0}, "a b", "hit", "a", true},
		{"idle for sure", 150, []int64{9, 0}, "a b", "moved/rebalanced", "b", true},
		{"it would even out nothing", 150, []int64{9, 8}, "a b", "hit", "a", true},
		{"others have more", 150, []int64{1, 8}, "a b", "hit", "a", true},
		{"draining", 150, []int64{0, 9}, "b | a", "hit", "a", true},
		{"alone", 150, []int64{9}, "a", "hit", "a", true},
	} {
		p, set := restless(0), newSet(c.set)
		copy(set.sessions, c.sessions)
		cookies := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", session: 77, bound: -1000, renewed: -c.idle}})
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: cookies}, set, ring, &ConnState{}, testNow)
		if outcomeOf(&d) != c.want || set.name(d.Endpoint) != c.endpoint || d.Issue != c.issue || d.Session != 77 {
			t.Errorf("%s: %s on %s, issue %v; want %s on %s, issue %v", c.name, outcomeOf(&d), set.name(d.Endpoint),
				d.Issue, c.want, c.endpoint, c.issue)
		}
		if d.Outcome == OutcomeMoved && (d.Token.Started != testNow-1000 || d.RebalancedFrom != 0) {
			t.Errorf("%s: bound %d, from %d: another session", c.name, d.Token.Started-testNow, d.RebalancedFrom)
		}
	}
}

func TestRebalance_limitAndFailure(t *testing.T) {
	p, set, ring := restless(2), newSet("a b c"), newRing(t, 1)
	set.sessions = []int64{100, 0, 0}
	cookies := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", session: 77, renewed: -500}})
	req := &fakeRequest{cookies: cookies}
	var d Decision
	for n := range 4 {
		p.Decide(&d, req, set, ring, &ConnState{}, testNow)
		if moved := d.Outcome == OutcomeMoved; moved != (n < 2) {
			t.Errorf("move %d with 2 a minute: %s", n+1, outcomeOf(&d))
		}
	}
	set.moves = 0
	p.Decide(&d, req, set, ring, &ConnState{}, testNow)
	if at := p.Next(&d, req, set); at != 0 || d.Outcome != OutcomeHit || d.RebalancedFrom != none {
		t.Errorf("after a failed move: %s on %d", outcomeOf(&d), at)
	}
}

func TestEndpointWait_policy(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Unavailable = model.Unavailable{Action: model.UnavailableWait, Wait: 3 * time.Second}
	p, set, ring := Compile(a), newSet("a b"), newRing(t, 1)
	for endpoint, want := range map[string]time.Duration{"a": 0, "z": 3 * time.Second} {
		cookies := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: endpoint, session: 77}})
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: cookies}, set, ring, &ConnState{}, testNow)
		if d.EndpointWait != want || d.Endpoint == none {
			t.Errorf("the endpoint is %s: wait %s, then endpoint %d", endpoint, d.EndpointWait, d.Endpoint)
		}
	}
	var d Decision
	if p.Decide(&d, &fakeRequest{}, set, ring, &ConnState{}, testNow); d.EndpointWait != 0 {
		t.Error("a new client must wait")
	}
}
