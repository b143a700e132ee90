package stay

import (
	"fmt"
	"sync"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// The sessions of one pod all send a slow request. Meanwhile, other pods serve the sessions beyond the budget, which
// return later.
func TestStickyBudget_returns(t *testing.T) {
	for _, w := range []backend{byCookie, byNamed, byWrapped} {
		t.Run(string(w), func(t *testing.T) { testBudget(t, w) })
	}
}

func testBudget(t *testing.T, w backend) {
	spec := policyOf(methods[w])
	spec.StickyBudget = v1alpha1.StickyBudget{BalanceFactor: 125, MinRequests: 10}
	f := newFixture(t, 6, policies(spec, w))
	t.Cleanup(f.letGo)
	sessions := newSessions(t, w, 0, clients)
	settle(t, f.limpet, sessions)
	home := f.pods[0]
	busy, rest := on(home.name, sessions)
	if len(busy) < 30 {
		t.Fatalf("only %d sessions are on %s", len(busy), home.name)
	}
	var asking sync.WaitGroup
	for i, s := range busy {
		detour := *s // cookies of the response are not kept
		detour.header = s.header.Clone()
		asking.Go(func() {
			if _, err := detour.mustGet(f.limpet, "/hold"); err != nil {
				t.Error(err)
			}
		})
		wait.Until(t, fmt.Sprintf("%d requests are held", i+1), func() bool { return f.held() == i+1 })
	}
	mean := float64(len(busy)) / float64(len(f.pods))
	if n := float64(home.held.Load()); n != max(10, float64(int(1.25*mean+1))) {
		t.Errorf("%s holds %.0f of the %d requests of its sessions, the mean is %.1f", home.name, n, len(busy), mean)
	}
	if w == byCookie {
		f.expectDetours(t, busy, home)
	}
	f.expectTheRestToStay(t, rest)
	f.letGo()
	asking.Wait()
	if w == byCookie { // the apps of the others have made new sessions of their own
		expectNoneMoves(t, f.limpet, sessions, 2)
	}
}

// expectDetours checks that other pods respond to the sessions of the busy pod, without a new token.
func (o *fixture) expectDetours(t *testing.T, busy []*session, home *pod) {
	t.Helper()
	for _, s := range busy { // one at a time, so that the mean stays as it is
		a, err := s.mustGet(o.limpet, "/")
		if err != nil {
			t.Fatal(err)
		}
		if a.pod == home.name || a.values() > 0 {
			t.Errorf("%s: served by %s with %d new values", s, a.pod, a.values())
		}
	}
}

// expectTheRestToStay looks at the sessions of those pods that are within their budget.
func (o *fixture) expectTheRestToStay(t *testing.T, rest []*session) {
	t.Helper()
	for _, p := range o.pods {
		if there, _ := on(p.name, rest); p.held.Load() < 10 {
			for _, s := range there {
				if err := s.stays(o.limpet, "/", 1); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// held is the number of requests that wait at the pods.
func (o *fixture) held() int {
	sum := 0
	for _, p := range o.pods {
		sum += int(p.held.Load())
	}
	return sum
}
