package upstream

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/sketch"
)

// In a synctest bubble, hours pass without waiting.
func TestLive_countsUntilTheWindowEnds(t *testing.T) {
	r := NewRegistry()
	p := r.Pool(model.PoolID{Service: "cart"})
	p.Replace(endpoints("a"))
	e := p.Set().Endpoint(0)
	if e.Live() != nil {
		t.Fatal("an endpoint without sessions has counts")
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var tidying sync.WaitGroup
		tidying.Go(func() { r.Tidy(ctx) })
		for i := range uint64(37) {
			e.SessionResponded(model.Mix(i), 1800, i < 30)
		}
		count := func(wantAll, wantActive int64, wantNew float64) {
			t.Helper()
			now := time.Now()
			all, active, started := e.Live().Served().Count(), e.Live().Active(now.Unix()).Count(), e.Live().StartedPerMinute(now)
			if all != wantAll || active != wantActive || started != wantNew {
				t.Errorf("%d sessions, %d active, %g new; want %d, %d, %g", all, active, started, wantAll, wantActive, wantNew)
			}
		}
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		count(37, 37, 30)
		pass(90 * time.Second)
		count(37, 37, 15) // half of the minute in which they started is more than a minute ago
		pass(7 * time.Minute)
		for i := range uint64(25) {
			e.SessionResponded(model.Mix(i), 1800, false)
		}
		count(37, 25, 0)
		pass(29 * time.Minute)
		count(25, 0, 0)
		pass(10 * time.Minute)
		count(0, 0, 0)
		if used := r.LiveBudget().Used(); used != 0 {
			t.Errorf("%d bytes in use without sessions", used)
		}
		cancel()
		tidying.Wait()
	})
}

func TestLive_departedSessions(t *testing.T) {
	p := poolOf("a b")
	a := p.Set().Endpoint(0)
	for i := range uint64(10) {
		a.SessionResponded(model.Mix(i), 600, true)
	}
	for i := range uint64(4) {
		a.SessionDeparted(model.Mix(i), 600)
		a.SessionDeparted(model.Mix(100+i), 600) // served by another replica
	}
	l := a.Live()
	if left := l.Served().CountWithout(l.MovedAway()); left != 6 {
		t.Errorf("%d sessions left, want 6", left)
	}
}

func TestLive_keptWhileEndpointStays(t *testing.T) {
	p := poolOf("a b")
	p.Set().Endpoint(0).SessionResponded(model.Mix(1), 600, true)
	p.Replace(endpoints("b (a)"))
	at, _ := p.Set().Lookup(model.IdentityPod, model.KeyOf("uid-a"))
	if l := p.Set().Endpoint(at).Live(); l == nil || l.Served().Count() != 1 {
		t.Error("a draining endpoint has lost its sessions")
	}
}

// Endpoints that are removed must not use up the budget, even if a last request counts there afterwards.
func TestLive_budgetIsFreedByRemovedEndpoints(t *testing.T) {
	r := NewRegistry()
	p := r.Pool(model.PoolID{Service: "cart"})
	p.Replace(endpoints("a"))
	gone := p.Set().Endpoint(0)
	p.Replace(endpoints("b"))
	for i := range uint64(1000) {
		gone.SessionResponded(model.Mix(i), 600, true)
	}
	if r.LiveBudget().Used() == 0 {
		t.Fatal("no memory is counted")
	}
	r.rotateLive(time.Now().Add(sketch.SliceSeconds * time.Second))
	if used := r.LiveBudget().Used(); used != 0 {
		t.Errorf("%d bytes of removed endpoints count as used", used)
	}
}
