package upstream

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/wait"
)

func ownedPool(t *testing.T, ids ...string) []*Endpoint {
	t.Helper()
	var endpoints []model.Endpoint
	for _, id := range ids {
		endpoints = append(endpoints, model.Endpoint{ID: id, Address: "192.0.2.1:80", State: model.EndpointReady})
	}
	p := NewRegistry().Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
	p.Replace(endpoints)
	return p.Set().Endpoints()
}

func TestOwned(t *testing.T) {
	all := ownedPool(t, "a", "b")
	a, b := all[0], all[1]
	conn, far := idle(t, a, 0, time.Now())
	if a.TakeIdle(0, plain, false) != conn {
		t.Fatal("the connection is not idle")
	}
	var o Owned
	if o.Put(conn, a); o.IsEmpty() || !o.Has(a, plain) || o.Has(b, plain) || o.Has(a, &Transport{}) {
		t.Errorf("got %+v", o)
	}
	if o.Take(b, plain, false) != nil || o.Take(a, &Transport{}, false) != nil || a.TakeIdle(0, plain, false) != nil {
		t.Error("the connection is passed to another")
	}
	if o.Take(a, plain, false) != conn || !conn.Reused || !o.IsEmpty() {
		t.Error("the connection is not passed to its owner")
	}
	o.Put(conn, a)
	if o.Close(); !isClosed(far) || !o.IsEmpty() {
		t.Error("the connection stays open")
	}
}

func TestOwned_staleConnection(t *testing.T) {
	a := ownedPool(t, "a")[0]
	conn, far := idle(t, a, 0, time.Now())
	a.TakeIdle(0, plain, false)
	var o Owned
	o.Put(conn, a)
	far.Close()
	wait.Until(t, "the connection to be stale", conn.Stale)
	if o.Take(a, plain, false) != nil || !o.IsEmpty() {
		t.Error("a connection that the pod has closed is passed on")
	}
}

func TestOwned_bounds(t *testing.T) {
	a := ownedPool(t, "a")[0]
	var o Owned
	conn, oldest := idle(t, a, 0, time.Now())
	o.Put(conn, a)
	for range maxOwned {
		conn, _ := idle(t, a, 0, time.Now())
		o.Put(conn, a)
	}
	if len(o.conns) != maxOwned || !isClosed(oldest) {
		t.Errorf("%d connections", len(o.conns))
	}
	a.retire()
	conn, far := idle(t, a, 0, time.Now())
	if o.Put(conn, a); len(o.conns) != maxOwned || !isClosed(far) {
		t.Error("a connection to a removed endpoint is kept")
	}
	o.Close()
}
