package stay

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// A browser sends several concurrent requests before it has a cookie, and a load balancer distributes them over all
// replicas.
func TestFirstBurst_onePod(t *testing.T) {
	const burst = 6
	spec := issuedWith(func(s *v1alpha1.AffinityPolicySpec) { s.NewSession.Pick = v1alpha1.PickHash })
	f := newFixture(t, 6, policies(spec, "burst"))
	replicas := []*limpet{f.limpet, f.start(t)}
	all := newSessions(t, "burst", 0, clients)
	each(t, all, func(s *session) error {
		tabs := make([]*session, burst) // each with a cookie of its own, of which the browser keeps the last
		failures := make([]error, burst)
		var asking sync.WaitGroup
		for i := range tabs {
			tabs[i] = newSessions(t, "burst", s.number, 1)[0]
			asking.Go(func() { failures[i] = tabs[i].settle(replicas[i%len(replicas)], "/") })
		}
		asking.Wait()
		for i, tab := range tabs {
			if failures[i] != nil {
				return failures[i]
			}
			if tab.pod != tabs[0].pod {
				return fmt.Errorf("%s: its requests landed on %s and %s", s, tabs[0].pod, tab.pod)
			}
			if err := tab.stays(replicas[(i+1)%len(replicas)], "/", 1); err != nil {
				return err
			}
		}
		s.pod = tabs[0].pod
		return nil
	})
	if used := podsOf(all); len(used) != len(f.pods) {
		t.Errorf("the clients went to %v only", used)
	}
}

// A pod that becomes not ready without terminating gets no requests. Its sessions that send a request meanwhile move.
// The other sessions still belong to it when it is ready again.
func TestNotReady_moves(t *testing.T) {
	f := newFixture(t, 6, nil)
	for i, w := range []backend{byCookie, byToken, byWrapped} {
		t.Run(string(w), func(t *testing.T) {
			sessions := newSessions(t, w, i*2*clients, 2*clients)
			settle(t, f.limpet, sessions)
			there, elsewhere := on(f.pods[0].name, sessions)
			asking, silent := there[:len(there)/2], there[len(there)/2:]
			pods := ready(f.pods...)
			pods[0].notReady = true
			f.setPods(t, pods, w)
			each(t, asking, func(s *session) error { return s.movesOnce(f.limpet) })
			expectNoneMoves(t, f.limpet, elsewhere, 1)
			f.setPods(t, ready(f.pods...), w)
			expectNoneMoves(t, f.limpet, sessions, 1)
			if len(silent) == 0 {
				t.Error("no session was silent")
			}
		})
	}
}

// The second replica does not know one of the pods yet. What is sent there waits until it does, and not for ever.
func TestUnknownPod_replicaWaits(t *testing.T) {
	waiting := func(long v1alpha1.Duration) v1alpha1.AffinityPolicySpec {
		return issuedWith(func(s *v1alpha1.AffinityPolicySpec) {
			s.Unavailable.Action, s.Unavailable.Wait = v1alpha1.UnavailableWait, long
		})
	}
	specs := map[backend]v1alpha1.AffinityPolicySpec{"patient": waiting("1m"), "hasty": waiting("50ms")}
	f := newFixture(t, 4, specs)
	late := newFolder(t)
	late.keys = f.keys
	for w, spec := range specs {
		late.apply(t, w.service())
		late.apply(t, w.ingress())
		(&fixture{folder: late}).applyPolicy(t, w, spec)
		late.apply(t, w.slice(ready(f.pods[1:]...)))
	}
	replica := late.start(t)
	patient, hasty := newSessions(t, "patient", 0, clients), newSessions(t, "hasty", 0, clients)
	settle(t, f.limpet, patient)
	settle(t, f.limpet, hasty)
	unknown, known := on(f.pods[0].name, patient)
	expectNoneMoves(t, replica, known, 1)
	var sent, answered atomic.Int64
	var asking sync.WaitGroup
	for _, s := range unknown {
		asking.Go(func() {
			sent.Add(1)
			if err := s.stays(replica, "/", 1); err != nil {
				t.Error(err)
			}
			answered.Add(1)
		})
	}
	wait.Until(t, "all requests are sent", func() bool { return sent.Load() == int64(len(unknown)) })
	moving, _ := on(f.pods[0].name, hasty)
	each(t, moving, func(s *session) error { return s.movesOnce(replica) })
	if n := answered.Load(); n > 0 {
		t.Errorf("%d requests were served without their pod", n)
	}
	late.apply(t, backend("patient").slice(ready(f.pods...)))
	asking.Wait()
	if len(unknown) == 0 || len(moving) == 0 {
		t.Errorf("%d and %d sessions were on the pod", len(unknown), len(moving))
	}
}
