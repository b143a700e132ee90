package proxy

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestADrainingEndpointKeepsItsIdleConnections(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	r.serve(cookieAffinity(), a)
	client := r.dial()
	cookie := client.get("/").cookie(t)
	r.replace(cart, a.endpoint(model.EndpointDraining), b.endpoint(model.EndpointReady))
	client.get("/", cookie).expectOK(t, "")
	if a.accepted() != 1 || b.accepted() != 0 {
		t.Errorf("pod-a has seen %d connections and pod-b %d, want 1 and 0", a.accepted(), b.accepted())
	}
}

func TestWhatMayNotBeSentAgainGoesToADrainingEndpointOverAConnectionOfItsOwn(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	r.serve(cookieAffinity(), a)
	client := r.dial()
	cookie := client.get("/").cookie(t)
	r.replace(cart, a.endpoint(model.EndpointDraining), b.endpoint(model.EndpointReady))
	client.post("/", "body", cookie).expectOK(t, "body")
	if a.accepted() != 2 {
		t.Errorf("pod-a has seen %d connections, want 2", a.accepted())
	}
	a.refuse()
	client.post("/", "body", cookie).expectOK(t, "body")
	if a.accepted() != 2 || b.accepted() != 0 {
		t.Errorf("pod-a has seen %d connections and pod-b %d, want 2 and 0", a.accepted(), b.accepted())
	}
}
