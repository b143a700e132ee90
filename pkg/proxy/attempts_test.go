package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Nothing was sent, so retrying at another pod is safe for any method.
func TestSession_movesOnceWhenPodRefuses(t *testing.T) {
	for _, method := range []string{"GET", "POST", "DELETE", "PATCH"} {
		t.Run(method, func(t *testing.T) {
			r := newRig(t)
			a, b := startEcho(t, "pod-a"), startEcho(t, "pod-b")
			r.serve(cookieAffinity(), a, b)
			client := r.dial()
			first := client.get("/")
			own, other := a, b
			if first.header.Get("X-Pod") == "pod-b" {
				own, other = b, a
			}
			own.refuse()
			r.spoilIdle(own, own.closeAll)

			client.send(request(method, "/", "body", first.cookie(t)))
			moved := client.read(method)
			moved.expectOK(t, "body")
			token := moved.cookie(t)
			if token == "" || moved.header.Get("X-Pod") != other.name {
				t.Fatalf("served by %q with the token %q", moved.header.Get("X-Pod"), token)
			}
			for range 3 {
				again := client.get("/", token)
				if again.header.Get("X-Pod") != other.name || again.cookie(t) != "" {
					t.Errorf("then by %q, with the cookie %q", again.header.Get("X-Pod"), again.cookie(t))
				}
			}
			r.expectMetric(`limpet_affinity_decisions_total{outcome="moved",pool="shop/cart:80",reason="failed"}`, 1)
			r.expectMetric(`limpet_retries_total{pool="shop/cart:80"}`, 1)
		})
	}
}

func TestAttempts_limit(t *testing.T) {
	r := newRig(t)
	var pods []*pod
	for i := range 2 * exchange.DefaultAttempts {
		pods = append(pods, deadPod(t, fmt.Sprint("pod-", i)))
	}
	r.serve(cookieAffinity(), pods...)
	a := r.dial().post("/", "body")
	a.expectStatus(t, 503)
	r.expectMetric(`limpet_retries_total{pool="shop/cart:80"}`, exchange.DefaultAttempts-1)
	if a.header.Get("Retry-After") == "" || a.cookie(t) != "" {
		t.Errorf("Retry-After %q, cookie %q", a.header.Get("Retry-After"), a.cookie(t))
	}
}

func TestAttempts_firstPodThatAccepts(t *testing.T) {
	r := newRig(t)
	pods := []*pod{startEcho(t, "pod-z")}
	for i := range exchange.DefaultAttempts - 1 {
		pods = append(pods, deadPod(t, fmt.Sprint("pod-", i)))
	}
	r.serve(cookieAffinity(), pods...)
	for range 10 {
		a := r.dial().post("/", "body")
		a.expectOK(t, "body")
		if a.cookie(t) == "" {
			t.Error("a new session got no token")
		}
	}
}

// A pod that is down would look like the one with the least to do.
func TestSession_newAvoidsFailedPod(t *testing.T) {
	r := newRig(t)
	down, up := deadPod(t, "pod-a"), startEcho(t, "pod-b")
	a := cookieAffinity()
	a.Pick = model.PickLeastSessions
	r.serve(a, down, up)
	for range 20 {
		r.dial().get("/").expectOK(t, "")
	}
	r.expectMetric(`limpet_retries_total{pool="shop/cart:80"}`, 1)
}

func TestSession_unavailableReject(t *testing.T) {
	r := newRig(t)
	p, other := startEcho(t, "pod-a"), startEcho(t, "pod-b")
	a := cookieAffinity()
	a.Unavailable = model.Unavailable{Action: model.UnavailableFail, Status: 418, RetryAfter: 7e9}
	r.serve(a, p)
	client := r.dial()
	cookie := client.get("/").cookie(t)
	expectRefusal := func(why string) {
		t.Helper()
		got := client.get("/", cookie)
		if got.status != 418 || got.header.Get("Retry-After") != "7" || got.cookie(t) != "" {
			t.Errorf("%s: got %d, Retry-After %q, cookie %q", why, got.status, got.header.Get("Retry-After"), got.cookie(t))
		}
	}
	r.serve(a, p, other)
	p.refuse()
	r.spoilIdle(p, p.closeAll)
	expectRefusal("the pod refuses connections")
	r.serve(a, other)
	expectRefusal("the pod is gone")
	if got := len(other.requests()); got > 0 {
		t.Errorf("the other pod was sent %d requests", got)
	}
}

func TestNoPod_responds503(t *testing.T) {
	toNobody := model.Route{Path: "/", PathType: model.PathPrefix}
	for _, c := range []struct {
		name   string
		set    func(r *rig)
		status int
		says   string
	}{
		{"no table yet", func(*rig) {}, 503, "configuration"},
		{"no endpoints", func(r *rig) { r.serve(nil) }, 503, "No pod is ready"},
		{"no endpoints, sticky", func(r *rig) { r.serve(cookieAffinity()) }, 503, "No pod is ready"},
		{"all refuse", func(r *rig) { r.serve(nil, deadPod(r.t, "pod-a")) }, 503, "No pod accepts"},
		{"no Service", func(r *rig) { r.publish(toNobody) }, 503, "does not exist"},
		{"no route", func(r *rig) { r.publish() }, 404, "No route"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			c.set(r)
			client := r.dial()
			for range 2 { // the connection stays usable
				a := client.post("/", "body")
				a.expectStatus(t, c.status)
				if !strings.Contains(a.body, c.says) {
					t.Errorf("the response %q does not contain %q", a.body, c.says)
				}
				if got := a.header.Get("Retry-After"); (got != "") != (c.status == 503) {
					t.Errorf("Retry-After is %q", got)
				}
			}
			client.send(request("HEAD", "/", ""))
			client.read("HEAD").expectStatus(t, c.status)
			client.get("/").expectStatus(t, c.status)
		})
	}
}
