package upstream

import (
	"sync"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// clocked makes the time of a pool's health a variable.
func clocked(p *Pool) (now *int64) {
	now = new(int64)
	p.registry.clock = func() int64 { return *now }
	return now
}

func failed(p *Pool, e *Endpoint, n int) {
	for range n {
		p.Failed(e, FailureConnect, &testEjection)
	}
}

func (s *Set) labels() (out string) {
	for _, e := range s.Endpoints() {
		out += e.ID + " "
	}
	return out
}

func TestFailed_ejectsAfterConsecutiveFailures(t *testing.T) {
	p := poolOf("a b")
	a := p.Set().Endpoint(0)
	failed(p, a, 2)
	a.Responded()
	failed(p, a, 2)
	if p.Set().Len() != 2 {
		t.Fatal("ejected without consecutive failures")
	}
	a.BeginRequest()
	failed(p, a, 1)
	set := p.Set()
	if set.Len() != 1 || set.Endpoint(0).ID != "uid-b" || !set.IsNotReady(model.IdentityPod, model.KeyOf("uid-a")) {
		t.Fatalf("endpoints are %s, not ready %v", set.labels(), set.NotReady())
	}
	if got := set.CountByState()[model.EndpointEjected]; got != 1 {
		t.Errorf("%d are ejected, want 1", got)
	}
	if got := set.Ejected()[0].InFlight(); got != 1 {
		t.Errorf("the ejected endpoint has %d requests, want the one from before", got)
	}
	if !set.WasRemoved(model.IdentityPod, model.KeyOf("uid-a")) || set.WasRemoved(model.IdentityPod, model.KeyOf("uid-b")) {
		t.Error("requests of new sessions would wait for the ejected endpoint, as if this replica did not know it yet")
	}
	if p.LastRemoval() != 0 {
		t.Error("an ejection counts as a removal")
	}
}

func TestFailed_limits(t *testing.T) {
	for name, c := range map[string]struct {
		endpoints string
		percent   int32
		ejected   int
	}{
		"only endpoint":        {"a", 100, 0},
		"half of two":          {"a b", 50, 1},
		"half of three":        {"a b c", 50, 1},
		"half of four":         {"a b c d", 50, 2},
		"one always stays":     {"a b c", 100, 2},
		"draining do not help": {"a (b)", 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := poolOf(c.endpoints)
			settings := testEjection
			settings.MaxPercent = c.percent
			ready := p.Set().Endpoints()[:p.Set().Ready()]
			for _, e := range ready[:len(ready)-1] {
				for range 3 {
					p.Failed(e, FailureReset, &settings)
				}
			}
			for range 3 {
				p.Failed(ready[len(ready)-1], FailureReset, &settings)
			}
			if got := len(p.Set().Ejected()); got != c.ejected {
				t.Errorf("%d endpoints are ejected, want %d", got, c.ejected)
			}
		})
	}
}

func TestFailed_staysIfAllFail(t *testing.T) {
	p := poolOf("a b c d")
	all := p.Set().Endpoints()
	for range 10 {
		for _, e := range all {
			failed(p, e, 1)
		}
	}
	if got := len(p.Set().Ejected()); got != 0 {
		t.Errorf("%d endpoints are ejected although all fail", got)
	}
}

func TestReplace_limitsEjections(t *testing.T) {
	p := poolOf("a b c d")
	failed(p, p.Set().Endpoint(0), 3)
	failed(p, p.Set().Endpoint(0), 3)
	p.Replace(endpoints("a b d"))
	if got := p.Set(); len(got.Ejected()) != 1 || got.Len() != 2 {
		t.Errorf("of three endpoints %d are ejected, want 1", len(got.Ejected()))
	}
	p.Replace(endpoints("b"))
	if got := p.Set(); len(got.Ejected()) != 0 || got.Len() != 1 {
		t.Error("the last endpoint stayed ejected")
	}
	if len(p.ejections) > 1 {
		t.Errorf("%d ejections are remembered of 1 endpoint", len(p.ejections))
	}
}

func TestProbe_oneRequestDecides(t *testing.T) {
	p := poolOf("a b")
	now := clocked(p)
	failed(p, p.Set().Endpoint(0), 3)
	if p.Set().Probe() != nil {
		t.Fatal("a probe starts during the back-off")
	}
	*now = 13_000
	probe := p.Set().Probe()
	if probe == nil || probe.Set.Len() != 2 || p.Set().Len() != 1 {
		t.Fatal("no probe after the back-off")
	}
	if p.Set().Probe() != nil {
		t.Fatal("two probes at the same time")
	}
	probe.Abandon()
	if probe = p.Set().Probe(); probe == nil {
		t.Fatal("no probe after an abandoned one")
	}
	failedProbe := p.Changed()
	probe.Failed(FailureTimeout)
	probe.Succeeded() // has no effect
	select {
	case <-failedProbe:
	default:
		t.Error("waiting requests do not learn when the next probe is due")
	}
	if *now += 19_999; p.Set().Probe() != nil || p.Set().Len() != 1 {
		t.Fatal("the second back-off is not longer")
	}
	*now += 5_001
	changed := p.Changed()
	if probe = p.Set().Probe(); !probe.IsFor(probe.Set.Endpoint(0)) || probe.IsFor(probe.Set.Endpoint(1)) {
		t.Fatal("the probe is for another endpoint")
	}
	probe.Succeeded()
	if p.Set().Len() != 2 || len(p.Set().Ejected()) != 0 {
		t.Error("the endpoint did not return")
	}
	select {
	case <-changed:
	default:
		t.Error("waiting requests do not learn of the return")
	}
}

func TestProbe_endpointRemovedMeanwhile(t *testing.T) {
	p := poolOf("a b")
	now := clocked(p)
	failed(p, p.Set().Endpoint(0), 3)
	*now = 13_000
	probe := p.Set().Probe()
	p.Replace(endpoints("b"))
	p.Replace(endpoints("a b"))
	probe.Failed(FailureConnect)
	if p.Set().Len() != 2 {
		t.Error("the outcome of a probe of a removed endpoint counts for its successor")
	}
}

func TestEjection_concurrently(t *testing.T) {
	p := poolOf("a b c d")
	now := int64(0)
	var mu sync.Mutex
	p.registry.clock = func() int64 { mu.Lock(); defer mu.Unlock(); now += 100; return now }
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := range 500 {
				set := p.Set()
				if probe := set.Probe(); probe != nil {
					[]func(){probe.Succeeded, probe.Abandon, func() { probe.Failed(FailureReset) }}[n%3]()
				}
				e := set.Endpoint((n + worker) % set.Len())
				if n%3 == 0 {
					e.Responded()
				}
				failed(p, e, 4)
				if n%50 == 0 {
					p.Replace(endpoints([]string{"a b c", "a b c d", "b (c) d"}[n/50%3]))
				}
			}
		})
	}
	wg.Wait()
	if set := p.Set(); set.Ready() == 0 || set.AllDraining() {
		t.Error("no endpoint stayed")
	}
}
