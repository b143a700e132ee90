package proxy

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/certs"
	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
	"github.com/limpet-dev/limpet/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is the time that a test waits for a condition. A passing test never waits that long.
const testTimeout = 20 * time.Second

var (
	cart = model.PoolID{Namespace: "shop", Service: "cart", Port: 80}
	blog = model.PoolID{Namespace: "shop", Service: "blog", Port: 80}
)

// rig is a Server on loopback with all that it needs, for one test.
type rig struct {
	t       testing.TB
	server  *Server
	tables  routing.Store
	pools   *upstream.Registry
	keys    affinity.Keys
	certs   *certs.Store
	metrics *observe.Metrics
	addr    string
}

// newRig starts a Server with the default options as the test changes them.
func newRig(tb testing.TB, change ...func(*Options)) *rig {
	tb.Helper()
	r := &rig{t: tb, pools: upstream.NewRegistry(), metrics: observe.NewMetrics()}
	ring, err := affinity.NewKeyring([][]byte{affinity.NewKey()})
	if err != nil {
		tb.Fatal(err)
	}
	r.keys.Store(ring)
	if r.certs, err = certs.NewStore(); err != nil {
		tb.Fatal(err)
	}
	o := Options{Config: exchange.Config{
		ClientHeaders: []http1.FieldID{http1.FieldXForwardedFor},
		Tables:        &r.tables, Keys: &r.keys, Certs: r.certs, Metrics: r.metrics,
		MaxAttempts: exchange.DefaultAttempts, Limits: http1.DefaultLimits(), Timeouts: exchange.DefaultTimeouts(),
		Log: logr.Discard(),
	}}
	for _, c := range change {
		c(&o)
	}
	r.server = NewServer(o)
	r.addr = r.listen(r.server.Serve)
	return r
}

// listen serves a listener of its own until the test ends, and returns its address.
func (r *rig) listen(serve func(net.Listener) error) string {
	r.t.Helper()
	l := loopback(r.t)
	ended := make(chan error, 1)
	go func() { ended <- serve(l) }()
	r.t.Cleanup(func() {
		r.server.Close()
		if err := <-ended; err != nil {
			r.t.Errorf("serving %s ended with: %v", l.Addr(), err)
		}
		eventually(r.t, "all connections to be closed", r.server.conns.empty)
	})
	return l.Addr().String()
}

func loopback(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// loopbackPair returns both ends of a connection.
func loopbackPair(tb testing.TB) (near, far net.Conn) {
	tb.Helper()
	l := loopback(tb)
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	if near, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	return near, far
}

// serve makes pods the endpoints of cart, and every path of every host lead there, with this affinity if not nil.
func (r *rig) serve(a *model.Affinity, pods ...*pod) {
	r.t.Helper()
	r.replace(cart, endpointsOf(pods...)...)
	r.publish(routeTo(cart, a))
}

func routeTo(id model.PoolID, a *model.Affinity) model.Route {
	return model.Route{
		Path: "/", PathType: model.PathPrefix,
		Backends: []model.Backend{{Pool: id, Weight: 1, Affinity: a}},
	}
}

func (r *rig) replace(id model.PoolID, endpoints ...model.Endpoint) {
	pool := r.pools.Pool(id)
	r.metrics.Attach(pool.Slot, id)
	pool.Replace(endpoints)
}

// publish makes the routes, which are sorted by host, the Table of this moment.
func (r *rig) publish(routes ...model.Route) {
	r.publishModel(&model.Model{Routes: routes})
}

func (r *rig) publishModel(m *model.Model) {
	r.tables.Publish(routing.Compile(m, r.pools, r.tables.Current(), time.Now()))
}

// endpoint finds a pod's endpoint in cart.
func (r *rig) endpoint(p *pod) *upstream.Endpoint {
	r.t.Helper()
	for _, e := range r.pools.Pool(cart).Set().Endpoints() {
		if e.Pod == p.name {
			return e
		}
	}
	r.t.Fatalf("%s is no endpoint of cart", p.name)
	return nil
}

func endpointsOf(pods ...*pod) []model.Endpoint {
	var endpoints []model.Endpoint
	for _, p := range pods {
		endpoints = append(endpoints, p.endpoint(model.EndpointReady))
	}
	return endpoints
}

// expectMetric waits for a sample of the rig's metrics to have this value: exchanges are counted after their response.
func (r *rig) expectMetric(sample string, want int) {
	r.t.Helper()
	line := fmt.Sprintf("\n%s %d\n", sample, want)
	eventually(r.t, strings.TrimSpace(line), func() bool {
		scrape := httptest.NewRecorder()
		r.metrics.Handler().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		return strings.Contains(scrape.Body.String(), line)
	})
}

// eventually waits for a condition.
func eventually(tb testing.TB, what string, happened func() bool) {
	tb.Helper()
	wait.Until(tb, what, happened)
}

// trusting makes loopback peers trusted proxies, and those of the prefixes.
func trusting(prefixes ...string) func(*Options) {
	return func(o *Options) {
		for _, p := range append(prefixes, "127.0.0.1/32") {
			o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(p))
		}
	}
}

// quick changes the timeouts.
func quick(change func(*exchange.Timeouts)) func(*Options) {
	return func(o *Options) { change(&o.Timeouts) }
}

// cookieAffinity binds clients by a token in the cookie limpet-cart.
func cookieAffinity(more ...model.Method) *model.Affinity {
	cookie := model.Method{
		Source: model.SourceCookie, Binding: model.BindingIssued,
		Cookie: &model.Cookie{
			Name: "limpet-cart", Path: "/", HTTPOnly: true, SameSite: model.SameSiteLax, Secure: model.SecureAuto,
		},
	}
	return affinityBy(append([]model.Method{cookie}, more...)...)
}

func affinityBy(methods ...model.Method) *model.Affinity {
	return &model.Affinity{
		Scope: cart.String(), Methods: methods, Pick: model.PickRoundRobin, KeepDraining: true,
		Unavailable: model.Unavailable{Action: model.UnavailableRepick}, Identity: model.IdentityPod,
	}
}

func headerMethod(name string) model.Method {
	return model.Method{
		Source: model.SourceHeader, Binding: model.BindingHashed, Header: &model.Header{Name: name},
	}
}

func addressMethod() model.Method {
	return model.Method{
		Source: model.SourceSourceIP, Binding: model.BindingHashed,
		SourceIP: &model.SourceIP{IPv4PrefixLength: 32, IPv6PrefixLength: 64},
	}
}
