package upstream

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func endpoint(id string, state model.EndpointState) model.Endpoint {
	return model.Endpoint{ID: id, Address: id + ":80", State: state}
}

func since(p *Pool, id string) int64 {
	set := p.Set()
	for i := range set.Len() {
		if set.Endpoint(i).ID == id {
			return set.StateSince(i)
		}
	}
	return -1
}

func TestStateSince(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Service: "cart"})
	ready, draining := model.EndpointReady, model.EndpointDraining
	p.Replace([]model.Endpoint{endpoint("a", ready), endpoint("b", draining)})
	if since(p, "a") != 0 {
		t.Error("initial endpoint has a start time")
	}
	if since(p, "b") == 0 {
		t.Error("drain without a start time")
	}
	p.Replace([]model.Endpoint{endpoint("a", ready), endpoint("c", ready)})
	if since(p, "a") != 0 || since(p, "c") == 0 {
		t.Errorf("since: a %d, c %d; want 0 and a time", since(p, "a"), since(p, "c"))
	}
	p.Replace([]model.Endpoint{endpoint("a", draining), endpoint("c", ready)})
	if since(p, "a") == 0 {
		t.Error("drain of an initial endpoint without a start time")
	}
}

func TestInLocalZone_hints(t *testing.T) {
	for _, c := range []struct {
		own, zone, forZones string
		want                bool
	}{
		{"a", "a", "", true},
		{"a", "b", "", false},
		{"a", "b", "a,c", true},
		{"a", "a", "b", false},
		{"", "", "", false},
		{"", "a", "a", false},
	} {
		r := NewRegistry()
		r.Zone = c.own
		p := r.Pool(model.PoolID{Service: "cart"})
		p.Replace([]model.Endpoint{{ID: "x", Address: "x:80", Zone: c.zone, ForZones: c.forZones, State: model.EndpointReady}})
		if got := p.Set().InLocalZone(0); got != c.want {
			t.Errorf("%+v: near %v", c, got)
		}
	}
}
