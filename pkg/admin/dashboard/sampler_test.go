package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

func (f *fixture) request(n int) {
	for range n {
		f.metrics.Pool(f.cart.Slot).Request(http.StatusOK, time.Millisecond)
	}
}

func TestSampler_recordsWhatWasCounted(t *testing.T) {
	f := newFixture(t)
	f.sampler.sample() // no traffic: no history
	if h := f.sampler.pool(f.cart); h != nil {
		t.Fatalf("history %+v of a pool without traffic", h)
	}
	f.request(3)
	f.metrics.Pool(f.cart.Slot).Decision(affinity.OutcomeNew, affinity.ReasonNone)
	f.cart.Set().Endpoint(0).SessionServed(session)
	f.sampler.sample()
	f.request(2)
	f.metrics.Pool(f.cart.Slot).Request(http.StatusServiceUnavailable, time.Millisecond)
	f.metrics.Pool(f.cart.Slot).Decision(affinity.OutcomeMoved, affinity.ReasonFailed)
	f.sampler.sample()
	h := f.sampler.pool(f.cart)
	for name, c := range map[string]struct{ got, want []uint32 }{
		"requests": {h.Requests, []uint32{3, 3}}, "errors": {h.Errors, []uint32{0, 1}}, "new": {h.New, []uint32{1, 0}},
		"moved": {h.Moved, []uint32{0, 1}}, "sessions": {h.Sessions, []uint32{1, 1}}, "inFlight": {h.InFlight, []uint32{0, 0}},
		"total requests": {f.sampler.totals().Requests, []uint32{0, 3, 3}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
}

func TestSampler_keepsTheLastSamples(t *testing.T) {
	f := newFixture(t)
	for i := range 2 * historyLength {
		f.request(i)
		f.sampler.sample()
	}
	got := f.sampler.pool(f.cart).Requests
	if len(got) != historyLength || got[0] != historyLength || got[historyLength-1] != 2*historyLength-1 {
		t.Errorf("%d samples from %d to %d", len(got), got[0], got[len(got)-1])
	}
}

func TestSampler_forgetsIdleAndRemoved(t *testing.T) {
	f := newFixture(t)
	f.request(1)
	f.sampler.sample()
	if f.sampler.histories != 1 || f.sampler.pods != 2 {
		t.Fatalf("%d histories, %d pods", f.sampler.histories, f.sampler.pods)
	}
	f.cart.Replace([]model.Endpoint{{ID: "uid-a", Pod: "cart-a", Address: "10.0.0.7:8080", State: model.EndpointReady}})
	f.sampler.sample()
	if f.sampler.pods != 1 {
		t.Errorf("%d pods after one was removed, want 1", f.sampler.pods)
	}
	for range historyLength {
		f.sampler.sample()
	}
	if f.sampler.histories != 0 || f.sampler.pods != 0 {
		t.Errorf("%d histories and %d pods of an idle pool", f.sampler.histories, f.sampler.pods)
	}
	f.request(5)
	f.sampler.sample()
	if got := f.sampler.pool(f.cart).Requests; !slices.Equal(got, []uint32{5}) {
		t.Errorf("requests %d after the pool was idle, want only the new ones", got)
	}
	f.options.Pools.Remove(cartID)
	f.metrics.Detach(cartID)
	f.sampler.sample()
	if len(f.sampler.pools) != 0 || f.sampler.histories != 0 || f.sampler.pods != 0 {
		t.Errorf("%d pools and %d histories after the removal", len(f.sampler.pools), f.sampler.histories)
	}
}

func TestSampler_countersMayStartAgain(t *testing.T) {
	f := newFixture(t)
	f.request(5)
	f.sampler.sample()
	f.metrics.Detach(cartID)
	f.metrics.Attach(f.cart.Slot, cartID)
	f.request(2)
	f.sampler.sample()
	if got := f.sampler.pool(f.cart).Requests; !slices.Equal(got, []uint32{5, 2}) {
		t.Errorf("requests %d, want 5 and 2", got)
	}
}

func TestSampler_boundsItsMemory(t *testing.T) {
	f := newFixture(t)
	for i := range maxPoolHistories + 10 {
		p := f.options.Pools.Pool(model.PoolID{Namespace: "shop", Service: fmt.Sprint("s", i), Port: 80})
		var endpoints []model.Endpoint
		for j := range 5 {
			endpoints = append(endpoints, model.Endpoint{ID: fmt.Sprint(i, j), Address: fmt.Sprint(i, j), State: model.EndpointReady})
		}
		p.Replace(endpoints)
		f.metrics.Attach(p.Slot, p.ID)
		f.metrics.Pool(p.Slot).Request(http.StatusOK, time.Millisecond)
	}
	f.sampler.sample()
	if f.sampler.histories != maxPoolHistories || f.sampler.pods != maxPodHistories {
		t.Errorf("%d histories and %d pods, want %d and %d", f.sampler.histories, f.sampler.pods, maxPoolHistories, maxPodHistories)
	}
}

func TestSampler_idlePoolsDoNotAllocate(t *testing.T) {
	f := newFixture(t)
	for i := range 1000 {
		f.options.Pools.Pool(model.PoolID{Namespace: "shop", Service: fmt.Sprint("s", i), Port: 80})
	}
	if n := testing.AllocsPerRun(10, f.sampler.sample); n > 0 {
		t.Errorf("%v allocations per sample", n)
	}
}
