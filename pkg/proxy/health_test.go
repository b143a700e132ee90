package proxy

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// sickPod is a pod whose behavior can be changed.
type sickPod struct {
	*pod
	mode atomic.Int32
}

const (
	podWorks int32 = iota
	podResets
	podFails // responds 503
)

func startSick(tb testing.TB, name string) *sickPod {
	p := &sickPod{}
	p.pod = startPod(tb, name, func(c *podConn) {
		for {
			r := c.request()
			if r == nil {
				return
			}
			switch p.mode.Load() {
			case podResets:
				c.reset()
				return
			case podFails:
				if !c.say("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nX-Pod: " + c.pod.name + "\r\n\r\n") {
					return
				}
			default:
				if !c.answer("") {
					return
				}
			}
		}
	})
	return p
}

// ejectQuickly ejects after three failures of any kind, for a time that tests can wait for.
var ejectQuickly = model.Ejection{
	Failures: 3, OnReset: true, OnTimeout: true, Backoff: 50 * time.Millisecond, MaxBackoff: 200 * time.Millisecond, MaxPercent: 50,
}

func (r *rig) serveEjecting(e model.Ejection, a *model.Affinity, endpoints ...model.Endpoint) {
	r.replace(cart, endpoints...)
	route := routeTo(cart, a)
	route.Backends[0].Ejection = &e
	r.publish(route)
}

func (r *rig) ejected() string {
	out := ""
	for _, e := range r.pools.Pool(cart).Set().Ejected() {
		out += e.Pod
	}
	return out
}

// untilEjected sends requests without a session until a pod is ejected.
func (r *rig) untilEjected(c *caller, lines ...string) {
	r.t.Helper()
	for range 100 {
		c.get("/", lines...)
		if r.ejected() != "" {
			return
		}
	}
	r.t.Fatal("no pod is ejected after 100 requests")
}

func TestEjection_kinds(t *testing.T) {
	for name, c := range map[string]struct {
		mode   int32
		change func(*model.Ejection)
		ejects bool
	}{
		"resets":                   {podResets, func(*model.Ejection) {}, true},
		"resets do not count":      {podResets, func(e *model.Ejection) { e.OnReset = false }, false},
		"chosen status":            {podFails, func(e *model.Ejection) { e.Statuses, _ = e.Statuses.With(503) }, true},
		"another status":           {podFails, func(e *model.Ejection) { e.Statuses, _ = e.Statuses.With(502) }, false},
		"ejection is switched off": {podResets, func(e *model.Ejection) { e.Failures = 0 }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, a, b := newRig(t), startSick(t, "a"), startEcho(t, "b")
			settings := ejectQuickly
			settings.Backoff = time.Hour
			c.change(&settings)
			r.serveEjecting(settings, affinityBy(headerMethod("X-None")), endpointsOf(a.pod, b)...)
			a.mode.Store(c.mode)
			client := r.dial()
			for range 20 {
				client.get("/")
			}
			if got := r.ejected() == "a"; got != c.ejects {
				t.Errorf("ejected %q, want a: %v", r.ejected(), c.ejects)
			}
			if c.ejects {
				for range 10 {
					client.get("/").expectStatus(t, 200)
				}
			}
		})
	}
}

func TestEjection_refusedConnections(t *testing.T) {
	r, b := newRig(t), startEcho(t, "b")
	r.serve(cookieAffinity(), deadPod(t, "a"), b) // with the default settings
	client := r.dial()
	for range 100 {
		client.get("/").expectStatus(t, 200)
		for _, e := range r.pools.Pool(cart).Set().Endpoints() {
			e.ConnectSucceeded() // new sessions avoid it for some seconds otherwise
		}
	}
	if r.ejected() != "a" {
		t.Errorf("ejected %q, want a", r.ejected())
	}
}

func TestEjection_probesWithSingleRequests(t *testing.T) {
	r, a, b := newRig(t), startSick(t, "a"), startEcho(t, "b")
	r.serveEjecting(ejectQuickly, affinityBy(headerMethod("X-None")), endpointsOf(a.pod, b)...)
	a.mode.Store(podResets)
	client := r.dial()
	r.untilEjected(client)
	a.takeRequests()
	for range 3 { // failed probes
		eventually(t, "a probe", func() bool { client.get("/"); return len(a.takeRequests()) > 0 })
		if r.ejected() != "a" {
			t.Fatal("the pod returned although the probe failed")
		}
	}
	a.mode.Store(podWorks)
	eventually(t, "the pod to return", func() bool { client.get("/"); return r.ejected() == "" })
}

// sickSession returns a rig in which the session of cookie is on a, which is ejected, and b works.
func sickSession(t *testing.T, e model.Ejection, unavailable model.Unavailable) (r *rig, a *sickPod, c *caller, cookie string) {
	t.Helper()
	a, b := startSick(t, "a"), startEcho(t, "b")
	r = newRig(t)
	affinity := cookieAffinity()
	affinity.Unavailable = unavailable
	r.serveEjecting(e, affinity, a.endpoint(model.EndpointReady))
	c = r.dial()
	cookie = c.get("/").cookie(t)
	r.serveEjecting(e, affinity, endpointsOf(a.pod, b)...)
	a.mode.Store(podResets)
	r.untilEjected(c, cookie)
	return r, a, c, cookie
}

func TestEjection_lend(t *testing.T) {
	r, a, c, cookie := sickSession(t, ejectQuickly, model.Unavailable{Action: model.UnavailableRepick, NotReady: model.NotReadyLend})
	for range 5 {
		if got := c.get("/", cookie); got.cookie(t) != "" {
			t.Fatalf("a lent session gets the cookie %q", got.cookie(t))
		}
	}
	a.mode.Store(podWorks)
	eventually(t, "the session to return", func() bool { return c.get("/", cookie).header.Get("X-Pod") == "a" })
	if r.ejected() != "" {
		t.Error("the pod is still ejected")
	}
	for range 5 {
		if got := c.get("/", cookie); got.header.Get("X-Pod") != "a" || got.cookie(t) != "" {
			t.Fatalf("served by %s with cookie %q", got.header.Get("X-Pod"), got.cookie(t))
		}
	}
}

func TestEjection_move(t *testing.T) {
	settings := ejectQuickly
	settings.Backoff = time.Hour
	r, a, c, cookie := sickSession(t, settings, model.Unavailable{Action: model.UnavailableRepick})
	moved := c.get("/", cookie)
	next := moved.cookie(t)
	if moved.header.Get("X-Pod") != "b" || next == "" {
		t.Fatalf("served by %s with cookie %q, want b and a new one", moved.header.Get("X-Pod"), next)
	}
	a.mode.Store(podWorks)
	r.pools.Pool(cart).Replace(a.endpointsWith(model.EndpointNotReady, r))
	r.pools.Pool(cart).Replace(a.endpointsWith(model.EndpointReady, r)) // in Kubernetes
	if r.ejected() != "" {
		t.Fatal("a pod that became ready is ejected")
	}
	if got := c.get("/", next); got.header.Get("X-Pod") != "b" || got.cookie(t) != "" {
		t.Errorf("the session moved again, to %s", got.header.Get("X-Pod"))
	}
}

// endpointsWith returns the declared endpoints of cart with another state of p.
func (p *sickPod) endpointsWith(state model.EndpointState, r *rig) []model.Endpoint {
	out := []model.Endpoint{p.endpoint(state)}
	for _, e := range r.pools.Pool(cart).Set().Endpoints() {
		if e.Pod != p.name {
			out = append(out, e.Endpoint)
		}
	}
	return out
}

func TestEjection_wait(t *testing.T) {
	settings := ejectQuickly
	settings.Backoff = 500 * time.Millisecond
	_, a, c, cookie := sickSession(t, settings,
		model.Unavailable{Action: model.UnavailableRepick, NotReady: model.NotReadyWait, Wait: testTimeout})
	a.mode.Store(podWorks)
	if got := c.get("/", cookie); got.header.Get("X-Pod") != "a" || got.cookie(t) != "" {
		t.Errorf("after the wait served by %s with cookie %q, want a", got.header.Get("X-Pod"), got.cookie(t))
	}
}

// TestEjection_replicasDoNotThrash alternates the requests of a session between two replicas while its pod comes and goes.
func TestEjection_replicasDoNotThrash(t *testing.T) {
	a, b := startSick(t, "a"), startEcho(t, "b")
	replicas := []*rig{newRig(t), newRig(t)}
	replicas[1].keys.Store(replicas[0].keys.Load())
	var clients []*caller
	settings := ejectQuickly
	settings.MaxBackoff = time.Minute
	for _, r := range replicas {
		r.serveEjecting(settings, cookieAffinity(), a.endpoint(model.EndpointReady))
		clients = append(clients, r.dial())
	}
	cookie := clients[0].get("/").cookie(t)
	for _, r := range replicas {
		r.replace(cart, endpointsOf(a.pod, b)...)
	}
	moves := 0
	for n := range 400 {
		a.mode.Store(podResets)
		if n%40 < 10 {
			a.mode.Store(podWorks)
		}
		if next := clients[n%2].get("/", cookie).cookie(t); next != "" {
			cookie = next
			moves++
		}
	}
	if moves != 1 {
		t.Errorf("the session moved %d times, want once", moves)
	}
	for _, p := range []upstream.FailureKind{upstream.FailureReset} {
		ejections := uint64(0)
		replicas[0].pools.Pool(cart).VisitEjections(func(reason string, n uint64) {
			if reason == p.String() {
				ejections = n
			}
		})
		if ejections == 0 || ejections > 10 {
			t.Errorf("%d ejections for %s by one replica, want a few", ejections, p)
		}
	}
}
