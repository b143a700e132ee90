package upstream

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The table must find what a map finds, with pods and without.
func TestIdentityIndex_equalsMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		var all []*Endpoint
		want := map[model.EndpointKey]int{}
		for i := range n {
			address := fmt.Sprintf("10.0.%d.%d:80", i/250, i%250)
			e := &Endpoint{Endpoint: model.Endpoint{ID: address, Address: address}}
			switch random.IntN(4) {
			case 0:
				e.ID = hostOf(fmt.Sprintf("10.0.0.%d:80", random.IntN(n+1))) // the IP address of another
			case 1, 2:
				e.ID = fmt.Sprint("pod-", random.IntN(n)) // some endpoints share a pod
			}
			all = append(all, e)
			if _, taken := want[model.KeyOf(e.ID)]; !taken {
				want[model.KeyOf(e.ID)] = i
			}
			if e.ID == address {
				want[model.KeyOf(hostOf(address))] = i
			}
		}
		x := newIdentityIndex(all, func(e *Endpoint) string { return e.ID })
		for key, i := range want {
			if got, found := x.lookup(key); got != i || !found {
				t.Fatalf("%d endpoints: found %d, %v, want %d", n, got, found, i)
			}
		}
		if _, found := x.lookup(model.KeyOf("unknown")); found {
			t.Fatalf("%d endpoints: an unknown key is found", n)
		}
	}
}

// Pools without sessions need no index. In other pools, no request waits for the index of the next Set.
func TestSet_indexIsLazy(t *testing.T) {
	p := poolOf("a b")
	if p.Set().byPod.Load() != nil || p.Set().byName.Load() != nil {
		t.Error("a pool without requests has an index")
	}
	p.Set().Lookup(model.IdentityPod, model.KeyOf("uid-a"))
	p.Replace(endpoints("a b c"))
	if p.Set().byPod.Load() == nil || p.Set().byName.Load() != nil {
		t.Error("after a look-up by pod, the next Set must have that index only")
	}
}

func TestEndpoint_countersAreLazy(t *testing.T) {
	e := poolOf("a").Set().Endpoint(0)
	if e.Sessions() != 0 || e.sessions.Load() != nil || e.http2.Load() != nil {
		t.Error("an endpoint without requests has counters")
	}
	e.SessionServed(model.Mix(7))
	if e.Sessions() != 1 {
		t.Errorf("%d sessions, want 1", e.Sessions())
	}
}
