package stay

import (
	"fmt"
	"testing"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// The pod of a StatefulSet comes back as another one, with another address, under the name of the first.
func TestIdentity_podName(t *testing.T) {
	specs, kinds := map[backend]v1alpha1.AffinityPolicySpec{}, []backend{byCookie, byHeader, byWrapped}
	for _, w := range kinds {
		spec := policyOf(methods[w])
		spec.Identity = v1alpha1.IdentityPodName
		spec.Unavailable.Action, spec.Unavailable.Wait = v1alpha1.UnavailableWait, "1m"
		specs[w] = spec
	}
	f := newFixture(t, 5, specs)
	for i, w := range kinds {
		sessions := newSessions(t, w, 0, clients)
		settle(t, f.limpet, sessions)
		reborn := newPod(20 + i)
		reborn.name = f.pods[0].name
		reborn.start(t)
		f.setPods(t, ready(f.pods[1:]...), w)
		f.setPods(t, ready(append([]*pod{reborn}, f.pods[1:]...)...), w)
		expectNoneMoves(t, f.limpet, sessions, 2)
		if there, _ := on(reborn.name, sessions); len(there) == 0 {
			t.Errorf("by %s: no session was on the pod", w)
		}
	}
}

func TestPreferZone_hints(t *testing.T) {
	spec := issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.NewSession.PreferZone = true })
	f := newFixture(t, 6, policies(spec, "zoned"))
	hinted := backend("zoned").slice(ready(f.pods...))
	for i := range hinted.Endpoints {
		zone := []string{"east", "west"}[i%2]
		hinted.Endpoints[i].Zone = ptr.To(zone)
		hinted.Endpoints[i].Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: zone}}}
	}
	f.apply(t, hinted)
	for zone, want := range map[string]int{"east": 0, "west": 1} {
		sessions := newSessions(t, "zoned", 0, clients)
		settle(t, f.startWith(t, "--zone", zone), sessions)
		for i, p := range f.pods {
			if n := podsOf(sessions)[p.name]; (n > 0) != (i%2 == want) {
				t.Errorf("zone %s: %s has %d sessions", zone, p.name, n)
			}
		}
		expectNoneMoves(t, f.limpet, sessions, 1) // which knows no zone of its own
	}
}

// A new pod with a slow start of one hour receives hardly any new sessions.
func TestSlowStart_newPod(t *testing.T) {
	specs := map[backend]v1alpha1.AffinityPolicySpec{}
	for _, w := range []backend{byCookie, byHeader, byIP} {
		spec := policyOf(methods[w])
		spec.NewSession.SlowStart = "1h"
		specs[w] = spec
	}
	f := newFixture(t, 4, specs)
	for w := range specs {
		f.setPods(t, ready(f.pods[:3]...), w)
		before := newSessions(t, w, 0, clients)
		settle(t, f.limpet, before)
		f.setPods(t, ready(f.pods...), w)
		expectNoneMoves(t, f.limpet, before, 1)
		fresh := newSessions(t, w, clients, clients)
		settle(t, f.limpet, fresh)
		if n := podsOf(fresh)[f.pods[3].name]; n > clients/50 {
			t.Errorf("by %s: the new pod got %d of %d sessions", w, n, clients)
		}
	}
}

func TestUnavailable_reject(t *testing.T) {
	f := newFixture(t, 6, policies(issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
		s.Unavailable = v1alpha1.Unavailable{Action: v1alpha1.UnavailableFail, Status: 410, RetryAfter: "1500ms"}
	}), "strict"))
	sessions := newSessions(t, "strict", 0, clients)
	settle(t, f.limpet, sessions)
	f.setPods(t, ready(f.pods[1:]...), "strict")
	gone, elsewhere := on(f.pods[0].name, sessions)
	each(t, gone, func(s *session) error {
		a, err := s.get(f.limpet, "/")
		if err == nil && (a.status != 410 || a.header.Get("Retry-After") != "2" || a.values() > 0) {
			err = fmt.Errorf("%s: %+v", s, a)
		}
		return err
	})
	expectNoneMoves(t, f.limpet, elsewhere, 1)
	f.setPods(t, ready(f.pods...), "strict")
	expectNoneMoves(t, f.limpet, sessions, 1)
}

// Half of the sessions would have to move for all pods to have the same. They do, so many in a minute.
func TestRebalance_rate(t *testing.T) {
	const perMinute = 20
	f := newFixture(t, 6, policies(issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
		s.Rebalance = v1alpha1.Rebalance{Mode: v1alpha1.RebalanceOnIdle, AfterIdle: "10m", MaxPerMinute: perMinute}
	}), "paced"))
	f.setPods(t, ready(f.pods[:3]...), "paced")
	sessions := newSessions(t, "paced", 0, clients)
	settle(t, f.limpet, sessions)
	f.setPods(t, ready(f.pods...), "paced")
	from, moved := time.Now(), 0
	for _, s := range sessions {
		was := s.pod
		s.age(t, from.Add(-time.Hour), from.Add(-time.Hour))
		if err := s.settle(f.limpet, "/"); err != nil { // renewed, whether it moves or not
			t.Fatal(err)
		}
		if s.pod != was {
			moved++
		}
	}
	if minutes := int(time.Since(from).Minutes()) + 2; moved < perMinute || moved > minutes*perMinute {
		t.Errorf("%d sessions have moved in the course of %d minutes at most, with %d in each", moved, minutes, perMinute)
	}
	expectNoneMoves(t, f.limpet, sessions, 2)
}

// A terminating pod may keep its sessions for a second, or not at all.
func TestDrain_timeout(t *testing.T) {
	at := issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.Drain.KeepSessions = ptr.To(false) })
	after := issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.Drain.Timeout = "1s" })
	f := newFixture(t, 6, map[backend]v1alpha1.AffinityPolicySpec{"at-once": at, "after-a-second": after})
	for _, w := range []backend{"at-once", "after-a-second"} {
		sessions := newSessions(t, w, 0, clients)
		settle(t, f.limpet, sessions)
		pods := ready(f.pods...)
		pods[0].terminating = true
		f.setPods(t, pods, w)
		moving, staying := on(f.pods[0].name, sessions)
		if w == "after-a-second" {
			wait.Until(t, "the drain is over", func() bool {
				a, err := moving[0].mustGet(f.limpet, "/")
				moving[0].pod = a.pod
				return err == nil && a.pod != f.pods[0].name
			})
			moving = moving[1:]
		}
		each(t, moving, func(s *session) error { return s.movesOnce(f.limpet) })
		expectNoneMoves(t, f.limpet, staying, 1)
	}
}
