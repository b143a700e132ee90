package proxy

import (
	"fmt"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestSources_header(t *testing.T) {
	r := newRig(t)
	threePods(t, r, affinityBy(headerMethod("X-Session-Id")))
	seen := map[string]bool{}
	for i := range 20 {
		line := fmt.Sprintf("x-session-id: user-%d", i)
		pod := r.dial().get("/", line).pod()
		r.expectStay(pod, line)
		seen[pod] = true
	}
	if len(seen) != 3 {
		t.Errorf("twenty values went to %v, want all three pods", seen)
	}
}

func TestSources_cookieAfterHeader(t *testing.T) {
	r := newRig(t)
	pods := threePods(t, r, cookieAffinity(headerMethod("X-Session-Id")))
	first := r.dial().get("/", "X-Session-Id: user-1")
	if first.cookie(t) == "" {
		t.Fatal("no token")
	}
	for i := range 10 {
		r.serve(cookieAffinity(headerMethod("X-Session-Id")), append(pods, startEcho(t, fmt.Sprint("pod-", i)))...)
		r.expectStay(first.pod(), "X-Session-Id: user-1", first.cookie(t))
	}
}

func TestSourceIP_behindTrustedProxy(t *testing.T) {
	r := newRig(t, trusting("10.0.0.0/8"))
	threePods(t, r, affinityBy(addressMethod()))
	seen := map[string]bool{}
	for i := range 20 {
		client := fmt.Sprintf("192.0.2.%d", i)
		pod := r.dial().get("/", "X-Forwarded-For: "+client).pod()
		r.expectStay(pod, "X-Forwarded-For: 198.51.100.9, "+client+", 10.1.2.3")
		r.expectStay(pod, "X-Forwarded-For: [::ffff:"+client+"]:4711")
		seen[pod] = true
	}
	if len(seen) != 3 {
		t.Errorf("twenty addresses went to %v, want all three pods", seen)
	}
}

func TestSourceIP_forgedAddress(t *testing.T) {
	r := newRig(t)
	threePods(t, r, affinityBy(addressMethod()))
	pod := r.dial().get("/").pod()
	for i := range 20 {
		r.expectStay(pod, fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i), fmt.Sprintf("X-Real-IP: 192.0.2.%d", i))
	}
}

// A draining pod is known to have served a hashed session only where that was seen.
func TestDrain_keepsHashedSessions(t *testing.T) {
	r := newRig(t)
	a := affinityBy(headerMethod("X-Session-Id"))
	pods := threePods(t, r, a)
	const line = "X-Session-Id: user-1"
	own := r.dial().get("/", line).pod()
	var endpoints []model.Endpoint
	var unseen string // a value that hashes to the same pod, which no request has had yet
	for i := 0; unseen == ""; i++ {
		value := fmt.Sprint("stranger-", i)
		if r.placedAt(value) == own {
			unseen = value
		}
	}
	for _, p := range pods {
		state := model.EndpointReady
		if p.name == own {
			state = model.EndpointDraining
		}
		endpoints = append(endpoints, p.endpoint(state))
	}
	r.replace(cart, endpoints...)
	r.expectStay(own, line)
	if got := r.dial().get("/", "X-Session-Id: "+unseen).pod(); got == own {
		t.Errorf("a session that %s has not served went there while it drains", own)
	}
}

// placedAt is the pod of cart that ranks first for a value.
func (r *rig) placedAt(value string) string {
	set := r.pools.Pool(cart).Set()
	seeds, key := set.IdentityHashes(model.IdentityPod), model.HashString(value)
	best := 0
	for i := range seeds {
		if model.Mix(key^seeds[i]) > model.Mix(key^seeds[best]) {
			best = i
		}
	}
	return set.Endpoint(best).Pod
}
