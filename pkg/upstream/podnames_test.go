package upstream

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

var route = model.PodLabel("route")

func named(id, value string, state model.EndpointState) model.Endpoint {
	e := endpoint(id, state)
	e.Names = map[model.Identity]string{route: value}
	return e
}

func TestLookup_labelsAndAnnotations(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Service: "cart"})
	p.Replace([]model.Endpoint{
		named("a", "one", model.EndpointDraining), named("b", "two", model.EndpointReady),
		named("c", "one", model.EndpointReady), endpoint("d", model.EndpointReady),
	})
	for _, c := range []struct {
		by          model.Identity
		value, want string
	}{
		{route, "one", "c"}, // the ready endpoint of two
		{route, "two", "b"},
		{route, "three", ""},
		{route, "", ""},  // an endpoint without the label must not match
		{route, "d", ""}, // d is an ID, not a label value
		{model.PodAnnotation("route"), "one", ""},
		{model.IdentityPod, "a", "a"},
	} {
		got := ""
		if i, ok := p.Set().Lookup(c.by, model.KeyOf(c.value)); ok {
			got = p.Set().Endpoint(i).ID
		}
		if got != c.want {
			t.Errorf("%s %q returned %q, want %q", c.by, c.value, got, c.want)
		}
	}
}

func TestReplace_labelChange(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Service: "cart"})
	p.Replace([]model.Endpoint{named("a", "one", model.EndpointReady)})
	p.Set().Endpoint(0).BeginRequest()
	if p.Replace([]model.Endpoint{named("a", "one", model.EndpointReady)}) {
		t.Error("equal endpoints reported as a change")
	}
	if !p.Replace([]model.Endpoint{named("a", "two", model.EndpointReady)}) {
		t.Error("label change not reported")
	}
	if got := p.Set().Endpoint(0).InFlight(); got != 1 {
		t.Errorf("%d requests in flight after a change of labels, want 1", got)
	}
}
