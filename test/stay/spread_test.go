package stay

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/wait"
)

// newcomers is the number of clients to spread. They come to three replicas, which do not talk to each other.
const newcomers = 5000

func TestNewSessions_spread(t *testing.T) {
	specs := map[backend]v1alpha1.AffinityPolicySpec{}
	picks := []v1alpha1.Pick{v1alpha1.PickLeastSessions, v1alpha1.PickLeastRequests, v1alpha1.PickRoundRobin,
		v1alpha1.PickRandom, v1alpha1.PickHash}
	for _, pick := range picks {
		spec := policyOf(methods[byCookie])
		spec.NewSession.Pick = pick
		specs[wayOf(pick)] = spec
	}
	f := newFixture(t, 11, specs)
	ten := ready(f.pods[:10]...)
	replicas := []*limpet{f.limpet, f.start(t), f.start(t)}
	for _, w := range f.backends {
		f.apply(t, w.slice(ten))
	}
	for _, l := range replicas {
		l.awaitEndpoints(t, ten, f.backends...)
	}
	for _, pick := range picks {
		t.Run(string(pick), func(t *testing.T) {
			all := newSessions(t, wayOf(pick), 0, newcomers)
			settleOver(t, replicas, all)
			expectEven(t, all, f.pods[:10])
		})
	}
	t.Run("a pod that is added gets new sessions until all have the same", func(t *testing.T) {
		least := wayOf(v1alpha1.PickLeastSessions)
		f.apply(t, least.slice(ready(f.pods...)))
		for _, l := range replicas {
			l.awaitEndpoints(t, ready(f.pods...), least)
		}
		f.fillAdded(t, replicas, least)
	})
}

// fillAdded sends as many new clients as the last pod lacks: nearly all of them go there. Of as many again for each pod
// it gets its share.
func (o *fixture) fillAdded(t *testing.T, replicas []*limpet, w backend) {
	t.Helper()
	added, lacks := o.pods[10].name, newcomers/10
	filling := newSessions(t, w, newcomers, lacks)
	settleOver(t, replicas, filling)
	there := podsOf(filling)[added]
	t.Logf("the added pod got %d of the %d sessions that it lacked", there, lacks)
	if there < lacks*98/100 {
		t.Errorf("the added pod got %d of %d new sessions, though it has fewest: %v", there, lacks, podsOf(filling))
	}
	more := newSessions(t, w, newcomers+lacks, lacks*len(o.pods)/5)
	settleOver(t, replicas, more)
	share := len(more) / len(o.pods)
	got := podsOf(more)[added]
	t.Logf("then it got %d of %d, its share is %d", got, len(more), share)
	if off := got - (lacks - there) - share; off < -lacks/50 || off > lacks/50 {
		t.Errorf("with as many as the others, it gets %d of %d sessions: its share is %d", got, len(more), share)
	}
}

// With the first request of a client, the value that will identify its session is not known yet. The session counts
// anyway.
func TestLearned_newClientsSpread(t *testing.T) {
	f := newFixture(t, 3, learnedPolicies())
	for _, w := range []backend{byNamed, byWrapped, byWrappedCookie, byLearned, byLearnedCookie, byHeader, byAppCookie} {
		t.Run(string(w), func(t *testing.T) {
			all := newSessions(t, w, 0, clients)
			for _, s := range all {
				s.header.Del("X-Session-Id")
				s.setCookie(sessionCookie, "")
			}
			settle(t, f.limpet, all)
			expectEven(t, all, f.pods)
			if w.hashes() {
				return
			}
			expectNoneMoves(t, f.limpet, all, 2)
			if n := f.limpet.sessions(t, w); n < clients*97/100 || n > clients*103/100 {
				t.Errorf("%d sessions are counted, want %d", n, clients)
			}
		})
	}
}

// sessions is the number of sessions that are reported for the pods of a backend.
func (l *limpet) sessions(t *testing.T, w backend) int {
	t.Helper()
	sum := 0
	for name, n := range l.metrics(t) {
		if strings.HasPrefix(name, "limpet_endpoint_sessions{") && strings.Contains(name, `pool="`+w.pool()+`"`) {
			sum += int(n)
		}
	}
	return sum
}

func wayOf(pick v1alpha1.Pick) backend { return backend(strings.ToLower(string(pick))) }

// settleOver sends each client to another replica than the one before it.
func settleOver(t *testing.T, replicas []*limpet, all []*session) {
	t.Helper()
	each(t, all, func(s *session) error { return s.settle(replicas[s.number%len(replicas)], "/") })
}

func expectEven(t *testing.T, all []*session, pods []*pod) {
	t.Helper()
	used, mean := podsOf(all), float64(len(all))/float64(len(pods))
	low, high := len(all), 0
	for _, p := range pods {
		low, high = min(low, used[p.name]), max(high, used[p.name])
	}
	t.Logf("%d to %d sessions on a pod, %.3f to %.3f of the mean", low, high, float64(low)/mean, float64(high)/mean)
	if float64(low) < 0.85*mean || float64(high) > 1.15*mean {
		t.Errorf("not within 15 %% of the mean: %v", used)
	}
}

// Half of all requests have one key. All of them are in flight at the same time.
func TestBalanceFactor_hotKey(t *testing.T) {
	spec := policyOf(methods[byHeader])
	spec.Hash.BalanceFactor = 125
	f := newFixture(t, 10, policies(spec, "hot"))
	t.Cleanup(func() { f.letGo() })
	sessions := newSessions(t, "hot", 0, 2*clients)
	var asking sync.WaitGroup
	failures := make(chan error, len(sessions))
	for wave := range 4 {
		for i, s := range sessions[wave*len(sessions)/4 : (wave+1)*len(sessions)/4] {
			s.header.Set("X-Session-Id", "hot")
			if i%2 > 0 {
				s.header.Set("X-Session-Id", s.name())
			}
			asking.Go(func() {
				if _, err := s.mustGet(f.limpet, "/hold"); err != nil {
					failures <- err
				}
			})
		}
		f.expectBounded(t, (wave+1)*len(sessions)/4)
	}
	f.letGo()
	asking.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
}

// expectBounded waits until the pods hold n requests, and fails if one has more than 1.25 x the mean and one.
func (o *fixture) expectBounded(t *testing.T, n int) {
	t.Helper()
	wait.Until(t, fmt.Sprintf("the pods hold %d requests", n), func() bool { return o.held() == n })
	bound, most := 1.25*float64(n)/float64(len(o.pods))+1, int64(0)
	for _, p := range o.pods {
		most = max(most, p.held.Load())
	}
	t.Logf("of %d requests the busiest pod has %d, the bound is %.1f", n, most, bound)
	if float64(most) > bound {
		t.Errorf("of %d requests the busiest pod has %d, more than %.1f", n, most, bound)
	}
}

// letGo lets the requests go that the pods hold.
func (o *fixture) letGo() {
	for _, p := range o.pods {
		p.once.Do(func() { close(p.gate) })
	}
}
