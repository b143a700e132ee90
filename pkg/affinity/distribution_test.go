package affinity

import (
	"fmt"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// replicas simulates replicas that share only the keys. Each counts the sessions that it has placed itself.
type replicas []*fakeSet

func newReplicas(n int, pods []string) replicas {
	all := make(replicas, n)
	for i := range all {
		all[i] = newSetOf(pods, pods, len(pods))
	}
	return all
}

// settle places new clients through the replicas in turn and counts them by pod.
func (r replicas) settle(p *Policy, ring *Keyring, from, n int, count []int) {
	for k := from; k < from+n; k++ {
		set := r[k%len(r)]
		req := &fakeRequest{ip: fmt.Sprintf("198.%d.%d.%d", 18+k>>16, k>>8&255, k&255)}
		var d Decision
		p.Decide(&d, req, set, ring, &ConnState{}, testNow)
		set.sessions[d.Endpoint]++
		count[d.Endpoint]++
	}
}

func TestDistribution_everyPick(t *testing.T) {
	const clients, pods = 20000, 10 // 15 % are seven standard deviations of a random pick
	for _, pick := range allPicks {
		a := affinityOf(cookieMethod)
		a.Pick = pick
		count := make([]int, pods)
		newReplicas(3, podIDs(pods)).settle(Compile(a), newRing(t, 1), 0, clients, count)
		for i, n := range count {
			if mean := clients / pods; n < mean*85/100 || n > mean*115/100 {
				t.Errorf("%s: pod %d has %d sessions, the mean is %d", pick, i, n, mean)
			}
		}
	}
}

func TestDistribution_newPod(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Pick = model.PickLeastSessions
	p, ring := Compile(a), newRing(t, 1)
	three := newReplicas(3, podIDs(4))
	for _, set := range three {
		copy(set.sessions, []int64{100, 100, 100, 0})
	}
	count := make([]int, 4)
	three.settle(p, ring, 0, 300, count)
	if count[3] != 300 {
		t.Errorf("of 300 sessions %d go to the pod that lacks 300", count[3])
	}
	three.settle(p, ring, 300, 400, count)
	for _, set := range three {
		for i, n := range set.sessions {
			if n < 132 || n > 135 {
				t.Errorf("pod %d has %d sessions on one replica, the mean is 133", i, n)
			}
		}
	}
}
