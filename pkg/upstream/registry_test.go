package upstream

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestRegistry_slotsAndOrder(t *testing.T) {
	r := NewRegistry()
	id := func(namespace, service string, port int32) model.PoolID {
		return model.PoolID{Namespace: namespace, Service: service, Port: port}
	}
	ids := []model.PoolID{id("a", "b", 80), id("a", "b", 443), id("a", "a", 80), id("B", "z", 1)}
	slots := map[int]bool{}
	for _, id := range ids {
		p := r.Pool(id)
		slots[p.Slot] = true
		if r.Pool(id) != p {
			t.Errorf("%s: two different pools", id)
		}
	}
	var listed []string
	for _, p := range r.Pools() {
		listed = append(listed, p.Name)
	}
	if !slices.Equal(listed, []string{"B/z:1", "a/a:80", "a/b:80", "a/b:443"}) {
		t.Errorf("listed as %v", listed)
	}
	gone := r.Pool(ids[2]).Slot
	dropped := r.Retain(map[model.PoolID]bool{ids[0]: true, ids[1]: true, ids[3]: true})
	if !slices.Equal(dropped, ids[2:3]) || len(r.Pools()) != 3 {
		t.Errorf("dropped %v", dropped)
	}
	if got := r.Pool(id("new", "new", 1)).Slot; got != gone || len(slots) != 4 {
		t.Errorf("slots %v, and then %d, want %d", slots, got, gone)
	}
}

// A request that uses the previous table can still use pools that the current table does not contain.
func TestRetain_droppedPool(t *testing.T) {
	r := NewRegistry()
	p := r.Pool(model.PoolID{Service: "cart"})
	p.Replace(endpoints("a"))
	_, early := idle(t, p.Set().Endpoint(0), 0, time.Now())
	r.Retain(nil)
	if p.Set().Len() != 1 {
		t.Fatal("endpoints of the dropped pool are gone")
	}
	_, late := idle(t, p.Set().Endpoint(0), 0, time.Now())
	if !isClosed(early) || !isClosed(late) {
		t.Error("a connection still open")
	}
}

// In a synctest bubble, hours pass without waiting.
func TestTidy(t *testing.T) {
	r := NewRegistry()
	p := r.Pool(model.PoolID{Service: "cart"})
	p.Replace(endpoints("a"))
	e := p.Set().Endpoint(0)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var tidying sync.WaitGroup
		tidying.Go(func() { r.Tidy(ctx) })
		_, far := idle(t, e, 0, time.Now())
		e.ConnectFailed()
		e.SessionServed(model.Mix(1))
		pass := func(d time.Duration) {
			<-time.After(d)
			synctest.Wait()
		}
		if pass(6 * time.Second); p.Set().ActiveRequests(0) != 0 {
			t.Error("still refusing after a few seconds")
		}
		if pass(idleTimeout); !isClosed(far) {
			t.Error("an old connection still open")
		}
		if pass(sessionWindow); e.Sessions() != 1 {
			t.Errorf("%d sessions after one window, want 1", e.Sessions())
		}
		if pass(sessionWindow); e.Sessions() != 0 {
			t.Errorf("%d sessions after two windows, want 0", e.Sessions())
		}
		cancel()
		tidying.Wait()
	})
}
