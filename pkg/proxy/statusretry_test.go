package proxy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// retryOn returns the limits of a route that retries these statuses.
func retryOn(t *testing.T, unsafe bool, statuses ...int) *model.Limits {
	t.Helper()
	l := &model.Limits{RetriesUnsafe: unsafe, MaxAttempts: 3}
	for _, status := range statuses {
		var ok bool
		if l.RetryStatuses, ok = l.RetryStatuses.With(status); !ok {
			t.Fatalf("%d cannot be retried", status)
		}
	}
	return l
}

// serveRetrying serves pods with these limits. The first responds with a status, the others as echo pods.
func (r *rig) serveRetrying(a *model.Affinity, l *model.Limits, pods ...*pod) {
	r.replace(cart, endpointsOf(pods...)...)
	route := routeTo(cart, a)
	route.Limits = l
	r.publish(route)
}

// statusPod responds with a status to requests for one path, and with 200 to others. Path "" means all.
func statusPod(t *testing.T, name, path string, status int) *pod {
	return startPod(t, name, func(c *podConn) {
		for q := c.request(); q != nil; q = c.request() {
			body, err := io.ReadAll(q.Body)
			if err != nil {
				return
			}
			if path != "" && q.URL.Path != path {
				c.answer(string(body))
				continue
			}
			c.say(fmt.Sprintf("HTTP/1.1 %d x\r\nX-Pod: %s\r\nContent-Length: 0\r\n\r\n", status, name))
		}
	})
}

func TestStatusRetry_otherPod(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
		r := newRig(t)
		down, up := statusPod(t, "pod-a", "", 503), startEcho(t, "pod-b")
		r.serveRetrying(nil, retryOn(t, false, 502, 503), down, up)
		client := r.dial()
		for range 20 {
			client.send(request(method, "/", ""))
			client.read(method).expectStatus(t, 200)
		}
		if len(down.requests()) == 0 {
			t.Errorf("%s: the pod that fails got no request", method)
		}
	}
}

// The client gets the first response to a request that must not be sent twice.
func TestStatusRetry_finalResponses(t *testing.T) {
	for _, c := range []struct {
		name, method, body string
		status             int
		limits             func(t *testing.T) *model.Limits
	}{
		{"another status", "GET", "", 500, func(t *testing.T) *model.Limits { return retryOn(t, true, 503) }},
		{"a method that is not idempotent", "POST", "", 503, func(t *testing.T) *model.Limits { return retryOn(t, false, 503) }},
		{"a body", "PUT", "body", 503, func(t *testing.T) *model.Limits { return retryOn(t, true, 503) }},
		{"no statuses", "GET", "", 503, func(*testing.T) *model.Limits { return nil }},
		{"one attempt", "GET", "", 503, func(t *testing.T) *model.Limits {
			l := retryOn(t, false, 503)
			l.MaxAttempts = 1
			return l
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			pods := []*pod{statusPod(t, "pod-a", "", c.status), statusPod(t, "pod-b", "", c.status)}
			r.serveRetrying(nil, c.limits(t), pods...)
			client := r.dial()
			client.send(request(c.method, "/", c.body))
			client.read(c.method).expectStatus(t, c.status)
			if n := len(pods[0].requests()) + len(pods[1].requests()); n != 1 {
				t.Errorf("the request was sent %d times", n)
			}
		})
	}
}

func TestStatusRetry_unsafeMethods(t *testing.T) {
	r := newRig(t)
	down, up := statusPod(t, "pod-a", "", 429), startEcho(t, "pod-b")
	r.serveRetrying(nil, retryOn(t, true, 429), down, up)
	client := r.dial()
	for range 10 {
		client.post("/", "").expectStatus(t, 200)
	}
}

// If all pods fail, the client gets the response of the last one, with its fields.
func TestStatusRetry_lastResponse(t *testing.T) {
	r := newRig(t)
	var pods []*pod
	for _, name := range []string{"pod-a", "pod-b", "pod-c", "pod-d"} {
		pods = append(pods, statusPod(t, name, "", 503))
	}
	r.serveRetrying(nil, retryOn(t, false, 503), pods...)
	got := r.dial().get("/")
	got.expectStatus(t, 503)
	sent := 0
	for _, p := range pods {
		sent += len(p.requests())
	}
	if !strings.HasPrefix(got.header.Get("X-Pod"), "pod-") || sent != 3 {
		t.Errorf("%q responded after %d attempts", got.header.Get("X-Pod"), sent)
	}
	r.expectMetric(`limpet_retries_total{pool="shop/cart:80"}`, 2)

	alone := statusPod(t, "pod-e", "", 503)
	r.serveRetrying(nil, retryOn(t, false, 503), alone)
	r.dial().get("/").expectStatus(t, 503)
	if n := len(alone.requests()); n != 1 {
		t.Errorf("the only pod got %d requests", n)
	}
}

// A session stays on its pod, and a client without one is bound to the pod that responds (promises 1 and 3).
func TestStatusRetry_sessions(t *testing.T) {
	r := newRig(t)
	flaky := statusPod(t, "pod-a", "/fails", 503)
	r.serveRetrying(cookieAffinity(), retryOn(t, false, 503), flaky)
	client := r.dial()
	bound := client.get("/").cookie(t)
	other := startEcho(t, "pod-b")
	r.serveRetrying(cookieAffinity(), retryOn(t, false, 503), flaky, other)
	for range 5 {
		if got := client.get("/fails", bound); got.status != 503 || got.header.Get("X-Pod") != "pod-a" || got.cookie(t) != "" {
			t.Errorf("a session got %d of %s, with the cookie %q", got.status, got.header.Get("X-Pod"), got.cookie(t))
		}
	}
	if n := len(other.requests()); n > 0 {
		t.Errorf("the other pod got %d requests of the session", n)
	}
	if n := len(flaky.requests()); n != 1+5*3 {
		t.Errorf("the pod of the session got %d requests", n)
	}
	for range 20 {
		got := r.dial().get("/fails")
		token := got.cookie(t)
		if got.status != 200 || got.header.Get("X-Pod") != "pod-b" || token == "" {
			t.Fatalf("a new client got %d of %s, with the cookie %q", got.status, got.header.Get("X-Pod"), token)
		}
		if again := client.get("/", token); again.header.Get("X-Pod") != "pod-b" {
			t.Errorf("then it was sent to %s", again.header.Get("X-Pod"))
		}
	}
}

func TestStatusRetry_overHTTP2(t *testing.T) {
	r := newRig(t)
	down := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) { p.head(stream, true, ":status", "503") })
	up := startHTTP2(t, "pod-b", func(p *http2Pod, stream uint32) { p.answer(stream, "body") })
	r.replace(cart, endpointsOf(down, up)...)
	route := routeTo(cart, nil)
	route.Limits, route.Backends[0].Transport = retryOn(t, false, 503), overHTTP2
	r.publish(route)
	client := r.dial()
	for range 20 {
		client.get("/").expectOK(t, "body")
	}
	if len(down.requests()) == 0 {
		t.Error("the pod that fails got no request")
	}
}

// Only backends that need the latency of their pods measure it.
func TestLatency_measured(t *testing.T) {
	for _, pick := range []model.Pick{model.PickLatency, model.PickRandom} {
		r := newRig(t)
		r.replace(cart, endpointsOf(startEcho(t, "pod-a"))...)
		route := routeTo(cart, nil)
		route.Backends[0].Balance = pick
		r.publish(route)
		r.dial().get("/").expectOK(t, "")
		took := r.pools.Pool(cart).Set().Latency(0, time.Now().UnixNano())
		if isMeasured := took > 0; isMeasured != (pick == model.PickLatency) || took > float64(testTimeout) {
			t.Errorf("%s: the latency is %v", pick, time.Duration(took))
		}
	}
}

// The set has the statuses of nginx only.
func TestStatusSet(t *testing.T) {
	l := retryOn(t, false, 502, 404)
	text, _ := l.RetryStatuses.MarshalText()
	if _, ok := l.RetryStatuses.With(501); ok || string(text) != "404 502" || l.RetryStatuses.Has(503) || !l.RetryStatuses.Has(404) {
		t.Errorf("got %s", text)
	}
	if !slices.Equal([]bool{l.RetryStatuses.Has(0), l.RetryStatuses.Has(200)}, []bool{false, false}) {
		t.Error("it has other statuses")
	}
}
