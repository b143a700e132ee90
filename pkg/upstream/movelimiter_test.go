package upstream

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestMoveLimiter_perMinute(t *testing.T) {
	var p moveLimiter
	for _, c := range []struct {
		now  int64
		want bool
	}{{60, true}, {61, true}, {119, false}, {120, true}, {121, true}, {122, false}} {
		if got := p.allow(2, c.now); got != c.want {
			t.Errorf("at %d s: %v, want %v", c.now, got, c.want)
		}
	}
	if !p.allow(0, 122) {
		t.Error("zero perMinute limits moves")
	}
}

func TestSessionMoved(t *testing.T) {
	e := &Endpoint{endpointState: new(endpointState)}
	for n := range uint64(100) {
		e.SessionServed(model.Mix(n))
	}
	for range 40 {
		e.SessionMoved()
	}
	if n := e.Sessions(); n < 55 || n > 65 {
		t.Errorf("%d sessions after 40 of 100 moved", n)
	}
	e.sessions.Load().rotate()
	if n := e.Sessions(); n < 55 || n > 65 {
		t.Errorf("%d sessions in the next window", n)
	}
	e.sessions.Load().rotate()
	if n := e.Sessions(); n != 0 {
		t.Errorf("%d sessions after two windows without any", n)
	}
}

func TestChanged(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Service: "cart"})
	changed := p.Changed()
	p.Replace([]model.Endpoint{endpoint("a", model.EndpointReady)})
	select {
	case <-changed:
	default:
		t.Fatal("Changed channel was not closed")
	}
	select {
	case <-p.Changed():
		t.Error("Changed channel closed before the next change")
	default:
	}
}
