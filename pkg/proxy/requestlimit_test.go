package proxy

import (
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/limpet-dev/limpet/pkg/model"
)

// holdingPods starts pods that hold each response to /hold until release is called, and respond to others immediately.
func holdingPods(t *testing.T, names ...string) (pods []*pod, release func()) {
	released := make(chan struct{})
	release = sync.OnceFunc(func() { close(released) })
	t.Cleanup(release) // pods end only then, also if the test fails
	for _, name := range names {
		pods = append(pods, startPod(t, name, func(c *podConn) {
			for r := c.request(); r != nil; r = c.request() {
				if r.URL.Path == "/hold" {
					<-released
				}
				if !c.answer("") {
					return
				}
			}
		}))
	}
	return pods, release
}

func (r *rig) serveRequestLimits(limits model.RequestLimits, a *model.Affinity, pods ...*pod) {
	r.replace(cart, endpointsOf(pods...)...)
	route := routeTo(cart, a)
	route.Backends[0].RequestLimits = &limits
	r.publish(route)
}

func (r *rig) inFlight() int64 { return r.pools.Pool(cart).Set().InFlight() }

// hold sends a request that stays in flight until the pods are released.
func (r *rig) hold(lines ...string) *caller {
	r.t.Helper()
	before, c := r.inFlight(), r.dial()
	c.send(request("GET", "/hold", "", lines...))
	eventually(r.t, "the request to be in flight", func() bool { return r.inFlight() == before+1 })
	return c
}

func expectFull(t *testing.T, resp *response, text string) {
	t.Helper()
	resp.expectStatus(t, 503)
	if resp.header.Get("Retry-After") != "1" || !strings.Contains(resp.body, text) || resp.cookie(t) != "" {
		t.Errorf("refused with %v, %q", resp.header, resp.body)
	}
}

func TestRequestLimits_pool(t *testing.T) {
	r := newRig(t)
	pods, release := holdingPods(t, "a", "b")
	r.serveRequestLimits(model.RequestLimits{PerPool: 2}, cookieAffinity(), pods...)
	held := []*caller{r.hold(), r.hold()}
	expectFull(t, r.dial().get("/"), "The pods have")
	r.expectMetric(`limpet_upstream_failures_total{pool="shop/cart:80",reason="pool_full"}`, 1)
	release()
	for _, c := range held {
		c.read("GET").expectStatus(t, 200)
	}
	eventually(t, "the pods to be free", func() bool { return r.inFlight() == 0 })
	r.dial().get("/").expectStatus(t, 200)
}

func TestRequestLimits_fullPodKeepsSession(t *testing.T) {
	r := newRig(t)
	pods, release := holdingPods(t, "a", "b")
	r.serveRequestLimits(model.RequestLimits{PerEndpoint: 1}, cookieAffinity(), pods...)
	first := r.dial().get("/")
	own, cookie := first.header.Get("X-Pod"), first.cookie(t)
	eventually(t, "the pods to be free", func() bool { return r.inFlight() == 0 })
	c := r.hold(cookie)
	expectFull(t, r.dial().get("/", cookie), "The pod has")
	for range 6 { // new sessions
		resp := r.dial().get("/")
		resp.expectStatus(t, 200)
		if resp.header.Get("X-Pod") == own || resp.cookie(t) == "" {
			t.Errorf("a new session is on %s, which is full", own)
		}
		eventually(t, "the other pod to be free", func() bool { return r.inFlight() == 1 })
	}
	r.expectMetric(`limpet_upstream_failures_total{pool="shop/cart:80",reason="pod_full"}`, 1)
	release()
	c.read("GET").expectStatus(t, 200)
	eventually(t, "the pod to be free", func() bool { return r.inFlight() == 0 })
	again := r.dial().get("/", cookie)
	again.expectStatus(t, 200)
	if got := again.header.Get("X-Pod"); got != own {
		t.Errorf("the session moved from %s to %s", own, got)
	}
}

func TestRequestLimits_allPodsFull(t *testing.T) {
	for name, a := range map[string]*model.Affinity{
		"new session": cookieAffinity(), "without affinity": nil, "hashed": affinityBy(headerMethod("X-User")),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			pods, release := holdingPods(t, "a", "b", "c")
			r.serveRequestLimits(model.RequestLimits{PerEndpoint: 1}, a, pods...)
			held := []*caller{r.hold(), r.hold(), r.hold()}
			for _, p := range pods {
				if got := r.endpoint(p).InFlight(); got != 1 {
					t.Errorf("%s has %d requests, want 1", p.name, got)
				}
			}
			expectFull(t, r.dial().get("/", "X-User: 7"), "The pod has")
			release()
			for _, c := range held {
				c.read("GET").expectStatus(t, 200)
			}
		})
	}
}

func TestRequestLimits_retry(t *testing.T) {
	r := newRig(t)
	pods, release := holdingPods(t, "a")
	r.serveRequestLimits(model.RequestLimits{PerEndpoint: 1}, nil, pods...)
	c := r.hold()
	r.replace(cart, endpointsOf(pods[0], deadPod(t, "b"))...)
	r.dial().get("/").expectStatus(t, 503)
	if got := r.endpoint(pods[0]).InFlight(); got != 1 || len(pods[0].takeRequests()) != 1 {
		t.Errorf("the full pod has %d requests, want 1", got)
	}
	release()
	c.read("GET").expectStatus(t, 200)
}

func TestRequestLimits_concurrent(t *testing.T) {
	r := newRig(t)
	pods, release := holdingPods(t, "a", "b")
	r.serveRequestLimits(model.RequestLimits{PerPool: 5, PerEndpoint: 3}, nil, pods...)
	const clients = 40
	statuses := make(chan int, clients)
	for range clients {
		c := r.dial()
		go func() {
			c.send(request("GET", "/hold", ""))
			statuses <- c.read("GET").status
		}()
	}
	refused := 0
	for refused < clients-5 {
		if <-statuses != 503 {
			t.Fatal("a request was served before the release")
		}
		refused++
	}
	for _, p := range pods {
		if got := r.endpoint(p).InFlight(); got > 3 {
			t.Errorf("%s has %d requests, want at most 3", p.name, got)
		}
	}
	release()
	for range clients - refused {
		if got := <-statuses; got != 200 && got != 503 {
			t.Errorf("status %d", got)
		}
	}
}

func TestRequestLimits_grpc(t *testing.T) {
	r := newRig(t)
	conn := r.grpc(t, nil, 1)
	m := routeTo(cart, nil)
	m.Backends[0].Transport, m.Backends[0].RequestLimits = model.Transport{HTTP2: true}, &model.RequestLimits{PerPool: 1}
	r.publish(m)
	stream, cancel := call(t, conn, "Talk", "one")
	defer cancel()
	var got string
	if err := stream.RecvMsg(&got); err != nil {
		t.Fatal(err)
	}
	text := "two"
	if err := conn.Invoke(t.Context(), "/shop.Cart/Unary", &text, &got); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v, want RESOURCE_EXHAUSTED", err)
	}
}

func TestRequestLimits_passthrough(t *testing.T) {
	pods := []*pod{startRawPod(t, "a")}
	r, addr := passedRig(t, nil, pods)
	host := passedHost("first.example", cart, nil)
	host.Passthrough.RequestLimits = &model.RequestLimits{PerEndpoint: 1}
	r.publishPassed(host)
	hello := helloFor(t, "first.example")
	first := passTo(t, addr, hello)
	if first.pod != "a" {
		t.Fatalf("passed to %q", first.pod)
	}
	if second := passTo(t, addr, hello); second.pod != "" {
		t.Errorf("a second connection was passed to %s", second.pod)
	}
	r.expectMetric(`limpet_upstream_failures_total{pool="shop/cart:80",reason="pod_full"}`, 1)
	first.Close()
	eventually(t, "the pod to be free", func() bool { return r.inFlight() == 0 })
}

func TestRequestLimits_statusRetry(t *testing.T) {
	r := newRig(t)
	pods, release := holdingPods(t, "a")
	sick := startSick(t, "b")
	sick.mode.Store(podFails)
	r.serveRequestLimits(model.RequestLimits{PerEndpoint: 1}, nil, pods[0])
	c := r.hold()
	r.replace(cart, endpointsOf(pods[0], sick.pod)...)
	route := routeTo(cart, nil)
	route.Backends[0].RequestLimits = &model.RequestLimits{PerEndpoint: 1}
	route.Limits = &model.Limits{}
	route.Limits.RetryStatuses, _ = route.Limits.RetryStatuses.With(503)
	r.publish(route)
	resp := r.dial().get("/")
	resp.expectStatus(t, 503)
	if resp.header.Get("X-Pod") != "b" || len(pods[0].takeRequests()) != 1 {
		t.Errorf("got %v, want the response of b", resp.header)
	}
	release()
	c.read("GET").expectStatus(t, 200)
}
