package proxy

import (
	"fmt"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// splitBetween publishes a route with two weights, stable to cart and canary to blog, whose policies are otherwise
// alike. Clients can select the canary by the header field and cookie with the name "canary".
func (r *rig) splitBetween(stable, canary int32, methods ...model.Method) {
	route := model.Route{Path: "/", PathType: model.PathPrefix}
	route.Canary = &model.Canary{Header: "Canary", Cookie: "canary"}
	for i, id := range []model.PoolID{cart, blog} {
		a := affinityBy(methods...)
		a.Scope, a.StickySplit = id.String(), true
		for k := range a.Methods {
			if c := a.Methods[k].Cookie; c != nil {
				cookie := *c
				cookie.Name = "limpet-" + id.Service
				a.Methods[k].Cookie = &cookie
			}
		}
		route.Backends = append(route.Backends,
			model.Backend{Pool: id, Weight: []int32{stable, canary}[i], Affinity: a})
	}
	r.publish(route)
}

func TestSplit_tokenKeepsBackend(t *testing.T) {
	r := newRig(t)
	r.replace(cart, endpointsOf(startEcho(t, "stable"))...)
	r.replace(blog, endpointsOf(startEcho(t, "canary"))...)
	methods := cookieAffinity().Methods
	r.splitBetween(50, 50, methods...)
	cookies := map[string]string{}
	c := r.dial()
	for range 300 {
		got := c.get("/")
		cookies[got.cookie(t)] = got.header.Get("X-Pod")
	}
	used := map[string]int{}
	for _, weights := range [][2]int32{{50, 50}, {99, 1}, {1, 99}, {100, 0}, {0, 100}} {
		r.splitBetween(weights[0], weights[1], methods...)
		for cookie, home := range cookies {
			if got := c.get("/", cookie).header.Get("X-Pod"); got != home {
				t.Fatalf("with weights %v a session of %s is served by %s", weights, home, got)
			}
			used[home]++
		}
	}
	if used["stable"] < 500 || used["canary"] < 500 {
		t.Errorf("the sides were used %v times", used)
	}
	// Its pod is gone, and its side is not.
	r.replace(blog, endpointsOf(startEcho(t, "canary-2"))...)
	for cookie, home := range cookies {
		if got := c.get("/", cookie).header.Get("X-Pod"); home == "canary" && got != "canary-2" {
			t.Fatalf("a session of the canary is served by %s", got)
		}
	}
}

func TestCanary_hashedClientMovesOnce(t *testing.T) {
	r := newRig(t)
	r.replace(cart, endpointsOf(startEcho(t, "stable"))...)
	r.replace(blog, endpointsOf(startEcho(t, "canary"))...)
	c := r.dial()
	onCanary := map[int]bool{}
	for _, weight := range []int32{0, 5, 20, 50, 80, 100} {
		r.splitBetween(100-weight, weight, headerMethod("X-User"))
		for n := range 300 {
			pod := c.get("/", fmt.Sprintf("X-User: user-%d", n)).header.Get("X-Pod")
			if onCanary[n] && pod != "canary" {
				t.Fatalf("user %d went back from the canary at %d %%", n, weight)
			}
			if pod == "canary" {
				onCanary[n] = true
			}
		}
		if got, want := len(onCanary), 3*int(weight); got < want-25 || got > want+25 {
			t.Errorf("%d of 300 users are on the canary with %d %%", got, weight)
		}
	}
}

func TestCanary_headerOverridesSession(t *testing.T) {
	r := newRig(t)
	r.replace(cart, endpointsOf(startEcho(t, "stable"))...)
	r.replace(blog, endpointsOf(startEcho(t, "canary"))...)
	r.splitBetween(50, 50, cookieAffinity().Methods...)
	c := r.dial()
	for range 300 {
		got := c.get("/")
		cookie, home := got.cookie(t), got.header.Get("X-Pod")
		for ask, want := range map[string]string{
			"Canary: always": "canary", "Canary: never": "stable", "Canary: maybe": home,
			"Cookie: canary=always": "canary", "Cookie: canary=never": "stable",
		} {
			if pod := c.get("/", cookie, ask).header.Get("X-Pod"); pod != want {
				t.Fatalf("a session of %s with %s is served by %s, want %s", home, ask, pod, want)
			}
		}
		if pod := c.get("/", cookie).header.Get("X-Pod"); pod != home {
			t.Fatalf("a session of %s that selected others is served by %s", home, pod)
		}
	}
}

func TestSplit_backendWithoutPods(t *testing.T) {
	r := newRig(t)
	r.replace(cart, endpointsOf(startEcho(t, "stable"))...)
	r.replace(blog, endpointsOf(startEcho(t, "canary"))...)
	r.splitBetween(0, 100, cookieAffinity().Methods...)
	c := r.dial()
	cookie := c.get("/").cookie(t)
	r.replace(blog)
	for _, fields := range [][]string{{}, {cookie}, {"Canary: always"}} {
		if got := c.get("/", fields...); got.header.Get("X-Pod") != "stable" {
			t.Errorf("with %q: status %d from %q", fields, got.status, got.header.Get("X-Pod"))
		}
	}
}
