package upstream

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestIsNotReady(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Service: "cart"})
	restarting := named("b", "two", model.EndpointNotReady)
	restarting.Pod = "cart-1"
	p.Replace([]model.Endpoint{named("a", "one", model.EndpointReady), restarting})
	for _, c := range []struct {
		by    model.Identity
		value string
		want  bool
	}{
		{model.IdentityPod, "b", true},
		{model.IdentityPod, "a", false},
		{model.IdentityPod, "cart-1", false},
		{model.IdentityPodName, "cart-1", true},
		{model.IdentityPodName, "a", false},
		{route, "two", true},
		{route, "one", false},
		{model.PodAnnotation("route"), "two", false},
	} {
		if got := p.Set().IsNotReady(c.by, model.KeyOf(c.value)); got != c.want {
			t.Errorf("%s %q: %v, want %v", c.by, c.value, got, c.want)
		}
	}
	if n := p.Set().Len(); n != 1 {
		t.Errorf("%d endpoints receive requests, want 1", n)
	}
}

func TestReplace_notReady(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Service: "cart"})
	starting := []model.Endpoint{endpoint("a", model.EndpointNotReady)}
	if !p.Replace(starting) || p.Replace(starting) {
		t.Error("want one change for an endpoint that is not ready")
	}
	changed := p.Changed()
	if !p.Replace([]model.Endpoint{endpoint("a", model.EndpointReady)}) {
		t.Fatal("readiness not reported as a change")
	}
	<-changed
	if since := p.Set().StateSince(0); since != 0 {
		t.Errorf("the first ready endpoint starts slowly, since %d", since)
	}
	p.Replace(starting)
	if p.Set().Len() != 0 || !p.Set().WasRemoved(model.IdentityPod, model.KeyOf("a")) {
		t.Error("an endpoint that is no longer ready stays in the set")
	}
}
