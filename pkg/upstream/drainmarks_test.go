package upstream

import (
	"strconv"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// stateOf returns the state of the pod in the pool, or "" if it is not there.
func stateOf(p *Pool, uid string) model.EndpointState {
	for _, e := range p.Set().Endpoints() {
		if e.ID == uid {
			return e.State
		}
	}
	return ""
}

func TestMarkDraining_untilItsEnd(t *testing.T) {
	r := NewRegistry()
	cart, pay := r.Pool(model.PoolID{Namespace: "shop", Service: "cart"}), r.Pool(model.PoolID{Namespace: "shop", Service: "pay"})
	other := r.Pool(model.PoolID{Namespace: "other", Service: "cart"})
	for _, p := range []*Pool{cart, pay, other} {
		p.Replace(endpoints("a b"))
	}
	end := time.Now().Add(time.Minute)
	if err := r.MarkDraining("shop", "uid-a", end); err != nil {
		t.Fatal(err)
	}
	expect := func(when string, a model.EndpointState) {
		t.Helper()
		if stateOf(cart, "uid-a") != a || stateOf(pay, "uid-a") != a {
			t.Errorf("%s: states are %s and %s, want %s", when, stateOf(cart, "uid-a"), stateOf(pay, "uid-a"), a)
		}
		if stateOf(cart, "uid-b") != model.EndpointReady || stateOf(other, "uid-a") != model.EndpointReady {
			t.Errorf("%s: another pod drains", when)
		}
	}
	expect("marked", model.EndpointDraining)
	cart.Replace(endpoints("b a c")) // a change of the EndpointSlice
	pay.Replace(endpoints("a b"))
	expect("after a change", model.EndpointDraining)
	if err := r.MarkDraining("shop", "uid-a", end.Add(-30*time.Second)); err != nil {
		t.Fatal(err)
	}
	r.expireMarks(end.Add(-time.Second))
	expect("before the end", model.EndpointDraining)
	r.expireMarks(end)
	expect("after the end", model.EndpointReady)
}

// The mark must not make a pod ready that its EndpointSlice says is not.
func TestMarkDraining_keepsOtherStates(t *testing.T) {
	r := NewRegistry()
	p := r.Pool(model.PoolID{Namespace: "shop", Service: "cart"})
	p.Replace(endpoints("a b"))
	end := time.Now()
	if err := r.MarkDraining("shop", "uid-a", end); err != nil {
		t.Fatal(err)
	}
	p.Replace(endpoints("(a) b")) // terminating
	r.expireMarks(end)
	if got := stateOf(p, "uid-a"); got != model.EndpointDraining {
		t.Errorf("a terminating pod is %s after the mark", got)
	}
	p.Replace(endpoints("b"))
	if err := r.MarkDraining("shop", "uid-a", end); err != nil {
		t.Fatal(err)
	}
	if p.Replace(endpoints("a b")); stateOf(p, "uid-a") != model.EndpointDraining {
		t.Error("a mark does not count for a pod that is added later")
	}
}

func TestMarkDraining_keepsNotReadyPods(t *testing.T) {
	r := NewRegistry()
	p := r.Pool(model.PoolID{Namespace: "shop", Service: "cart"})
	notReady := endpoints("c")
	notReady[0].State = model.EndpointNotReady
	p.Replace(append(endpoints("a b"), notReady...))
	if err := r.MarkDraining("shop", "uid-a", time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := p.Set().CountByState()[model.EndpointNotReady]; got != 1 {
		t.Errorf("%d pods are not ready, want 1", got)
	}
}

func TestMarkDraining_bound(t *testing.T) {
	r := NewRegistry()
	for i := range maxDrainMarks {
		if err := r.MarkDraining("shop", strconv.Itoa(i), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.MarkDraining("shop", "another", time.Now()); err == nil {
		t.Error("too many pods are marked")
	}
	if err := r.MarkDraining("shop", "0", time.Now()); err != nil {
		t.Errorf("a known pod: %v", err)
	}
	if r.expireMarks(time.Now()); r.MarkDraining("shop", "another", time.Now()) != nil {
		t.Error("the marks have ended, but still count")
	}
}

func TestMarkDraining_severalPods(t *testing.T) {
	r := NewRegistry()
	p := r.Pool(model.PoolID{Namespace: "shop", Service: "cart"})
	p.Replace(endpoints("a b c"))
	now := time.Now()
	for i, uid := range []string{"uid-a", "uid-b"} {
		if err := r.MarkDraining("shop", uid, now.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []model.EndpointState{model.EndpointDraining, model.EndpointReady} {
		r.expireMarks(now.Add(time.Duration(i) * time.Minute))
		if a, b := stateOf(p, "uid-a"), stateOf(p, "uid-b"); a != model.EndpointReady || b != want {
			t.Errorf("after %d min: states are %s and %s, want Ready and %s", i, a, b, want)
		}
	}
}
