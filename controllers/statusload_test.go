package controllers

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/client-go/rest"
)

// roundTripper adapts a function to http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// statusPatches counts the requests of a replica that write a status, and delays them until a number of them is pending.
type statusPatches struct {
	atOnce int // zero delays none

	mu      sync.Mutex
	pending int
	total   int
	reached chan struct{} // closed when atOnce requests are pending
}

func newStatusPatches(atOnce int) *statusPatches {
	return &statusPatches{atOnce: atOnce, reached: make(chan struct{})}
}

// watch makes a replica send its requests through p.
func (p *statusPatches) watch(o *Options) {
	o.Config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/status") {
				defer p.add()()
			}
			return next.RoundTrip(r)
		})
	})
}

// add counts a request, and returns after the delay. The function that it returns ends the request.
func (p *statusPatches) add() (done func()) {
	p.mu.Lock()
	p.total++
	if p.pending++; p.pending == p.atOnce {
		close(p.reached)
	}
	p.mu.Unlock()
	if p.atOnce > 0 {
		<-p.reached
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pending--
	}
}

func (p *statusPatches) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

func publishAddress(o *Options) { o.PublishAddresses = []string{"203.0.113.7"} }

// createBroken creates Ingresses whose Service does not exist, so that the leader emits an Event after it wrote the status.
func createBroken(t *testing.T, namespace string, n int) []*networkingv1.Ingress {
	t.Helper()
	all := make([]*networkingv1.Ingress, n)
	for i := range all {
		all[i] = ingress(namespace, fmt.Sprintf("broken-%d", i))
		create(t, all[i])
	}
	return all
}

func hasAddress(t *testing.T, in *networkingv1.Ingress) func() bool {
	return func() bool { return len(get(t, in).Status.LoadBalancer.Ingress) == 1 }
}

func TestStatus_severalAtOnce(t *testing.T) {
	const atOnce = 3
	all := createBroken(t, newNamespace(t), atOnce)
	patches := newStatusPatches(atOnce)
	startReplica(t, "a", publishAddress, patches.watch, func(o *Options) { o.StatusWorkers = atOnce })
	for _, in := range all { // with fewer workers, no request would be sent
		eventually(t, "the address of "+in.Name, hasAddress(t, in))
	}
}

func TestLeader_changeWritesNoStatus(t *testing.T) {
	all := createBroken(t, newNamespace(t), 5)
	a := startReplica(t, "a", publishAddress)
	for _, in := range all {
		eventually(t, "the address of "+in.Name, hasAddress(t, in))
	}
	eventually(t, "a leads", leads(t, "a"))
	patches := newStatusPatches(0)
	startReplica(t, "b", publishAddress, patches.watch)
	a.stop()
	eventually(t, "b leads", leads(t, "b"))
	for _, in := range all { // a new leader emits Events again, each after it compared the status
		eventually(t, "b's Event on "+in.Name, func() bool { return len(eventsOn(t, in)) == 2 })
	}
	if n := patches.count(); n != 0 {
		t.Errorf("the new leader wrote %d statuses that do not differ", n)
	}
}

func TestOptions_requestLimits(t *testing.T) {
	o := Options{Config: &rest.Config{QPS: -1}, KubeAPIQPS: 7, KubeAPIBurst: 9}.withDefaults()
	if got := o.Config.RateLimiter.QPS(); got != 7 {
		t.Errorf("%v requests per second, want 7", got)
	}
	for range 9 {
		if !o.Config.RateLimiter.TryAccept() {
			t.Fatal("the burst is less than 9 requests")
		}
	}
	if o.Config.RateLimiter.TryAccept() {
		t.Error("the burst is more than 9 requests")
	}
	if lease := o.leaseConfig(); lease.RateLimiter != nil || lease.QPS >= 0 {
		t.Errorf("requests for the lease wait for others: QPS %v", lease.QPS)
	}
	o = Options{Config: &rest.Config{}}.withDefaults()
	if got := o.Config.RateLimiter.QPS(); got != DefaultKubeAPIQPS || o.StatusWorkers != DefaultStatusWorkers {
		t.Errorf("%v requests per second and %d workers by default", got, o.StatusWorkers)
	}
}
