package upstream

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestThePaceIsThatOfEachMinute(t *testing.T) {
	var p pace
	for _, c := range []struct {
		now  int64
		want bool
	}{{60, true}, {61, true}, {119, false}, {120, true}, {121, true}, {122, false}} {
		if got := p.mayMove(2, c.now); got != c.want {
			t.Errorf("at %d s: %v, want %v", c.now, got, c.want)
		}
	}
	if !p.mayMove(0, 122) {
		t.Error("no bound bounds")
	}
}

func TestSessionsThatLeftAreNotCounted(t *testing.T) {
	e := &Endpoint{live: new(live)}
	for n := range uint64(100) {
		e.Served(model.Mix(n))
	}
	for range 40 {
		e.Left()
	}
	if n := e.Sessions(); n < 55 || n > 65 {
		t.Errorf("%d sessions after 40 of 100 have left", n)
	}
	e.sessions.turnOver()
	if n := e.Sessions(); n < 55 || n > 65 {
		t.Errorf("%d sessions in the next window", n)
	}
	e.sessions.turnOver()
	if n := e.Sessions(); n != 0 {
		t.Errorf("%d sessions after two windows without any", n)
	}
}

func TestAChangeOfEndpointsIsAnnounced(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Service: "cart"})
	changed := p.Changed()
	p.Replace([]model.Endpoint{endpoint("a", model.EndpointReady)})
	select {
	case <-changed:
	default:
		t.Fatal("nobody is told")
	}
	select {
	case <-p.Changed():
		t.Error("the next change has not come yet")
	default:
	}
}
