package proxy

import (
	"sync"
	"testing"
)

// The second replica learns of a pod only after requests of its sessions have arrived. They wait for the pod,
// regardless of the policy for pods that are gone. Limpet does not wait for a pod that it saw leave, and soon stops
// waiting for one that never appears.
func TestUnknownPod_waits(t *testing.T) {
	one, other := newRig(t), newRig(t)
	pods := threePods(t, one, cookieAffinity())
	other.keys.Store(one.keys.Load())
	other.serve(cookieAffinity(), pods[:2]...)
	cookies := sessionsOf(t, one, pods[2], 100)
	var asking sync.WaitGroup
	callers := make([]*caller, len(cookies))
	for i := range callers {
		callers[i] = other.dial()
	}
	for i, cookie := range cookies {
		asking.Go(func() {
			if got := callers[i].get("/", cookie); got.pod() != pods[2].name || got.header.Get("Set-Cookie") != "" {
				t.Errorf("session %d of %s was served by %s", i, pods[2].name, got.pod())
			}
		})
	}
	other.replace(cart, endpointsOf(pods...)...)
	asking.Wait()
	other.replace(cart, endpointsOf(pods[:2]...)...)
	other.expectMoved(pods[2], cookies[:1])

	third := newRig(t)
	third.keys.Store(one.keys.Load())
	third.serve(cookieAffinity(), pods[:2]...)
	third.expectMoved(pods[2], cookies[:1])
}

// sessionsOf makes clients until n of them are on the pod, and returns their cookies.
func sessionsOf(t *testing.T, r *rig, home *pod, n int) (cookies []string) {
	t.Helper()
	client := r.dial()
	for len(cookies) < n {
		if got := client.get("/"); got.pod() == home.name {
			cookies = append(cookies, got.cookie(t))
		}
	}
	return cookies
}

func (r *rig) expectMoved(home *pod, cookies []string) {
	r.t.Helper()
	for _, cookie := range cookies {
		if got := r.dial().get("/", cookie); got.pod() == home.name || got.cookie(r.t) == "" {
			r.t.Errorf("served by %s with the cookie %q", got.pod(), got.cookie(r.t))
		}
	}
	r.expectDecision("moved", "gone", len(cookies))
}
