package exchange

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// testEngine is an Engine with a table and pools, and no connections.
type testEngine struct {
	*Engine
	t     testing.TB
	pools *upstream.Registry
	ring  *affinity.Keyring
}

func newTestEngine(t testing.TB) *testEngine {
	t.Helper()
	ring, err := affinity.NewKeyring([][]byte{affinity.NewKey()})
	if err != nil {
		t.Fatal(err)
	}
	s := &testEngine{t: t, pools: upstream.NewRegistry(), ring: ring}
	s.Engine = NewEngine(Config{
		Tables: new(routing.Store), Keys: new(affinity.Keys), Metrics: observe.NewMetrics(), Timeouts: DefaultTimeouts(),
		MaxAttempts: DefaultAttempts, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	s.Keys.Store(ring)
	return s
}

// pool sets the endpoints of the Service and returns its ID.
func (s *testEngine) pool(service string, endpoints ...string) model.PoolID {
	id := model.PoolID{Namespace: "shop", Service: service, Port: 80}
	var all []model.Endpoint
	for _, e := range endpoints {
		all = append(all, model.Endpoint{ID: e, Pod: e, Address: "192.0.2.1:80", State: model.EndpointReady})
	}
	pool := s.pools.Pool(id)
	s.Metrics.Attach(pool.Slot, id)
	pool.Replace(all)
	return id
}

func (s *testEngine) publish(routes ...model.Route) {
	s.Tables.Publish(routing.Compile(&model.Model{Routes: routes}, s.pools, s.Tables.Current(), time.Now()))
}

// token returns a Cookie field with a token for an endpoint of the scope.
func (s *testEngine) token(name, endpoint, scope string) string {
	now := time.Now().Unix()
	return string(s.ring.Seal(&affinity.ConnState{}, []byte(name+"="), &affinity.Token{
		Endpoint: model.KeyOf(endpoint), Scope: model.ScopeOf(scope), Started: now, Renewed: now, Session: 7,
	}))
}

func (s *testEngine) explain(d *Description) *Trace {
	s.t.Helper()
	if !d.Peer.IsValid() {
		d.Peer = netip.MustParseAddr("203.0.113.7")
	}
	trace, err := s.Explain(d)
	if err != nil {
		s.t.Fatal(err)
	}
	return trace
}

// sticky returns a policy of cookie affinity whose scope is its name.
func sticky(name string, strict bool) *model.Affinity {
	a := &model.Affinity{
		Scope: name, Pick: model.PickRoundRobin, KeepDraining: true, Identity: model.IdentityPod,
		Unavailable: model.Unavailable{Action: model.UnavailableRepick},
		StickySplit: true,
		Methods: []model.Method{{
			Source: model.SourceCookie, Binding: model.BindingIssued, Cookie: &model.Cookie{Name: name, Path: "/"},
		}},
	}
	if strict {
		a.Unavailable = model.Unavailable{Action: model.UnavailableFail, Status: 503, RetryAfter: 7 * time.Second}
	}
	return a
}

// shop publishes one route of each kind.
func (s *testEngine) shop() {
	cart, canary, empty := s.pool("cart", "a", "b"), s.pool("canary", "c"), s.pool("empty")
	route := func(path string, backends ...model.Backend) model.Route {
		return model.Route{Host: "shop.example", Path: path, PathType: model.PathPrefix, Backends: backends}
	}
	to := func(id model.PoolID, weight int32, a *model.Affinity) model.Backend {
		return model.Backend{Pool: id, Weight: weight, Affinity: a}
	}
	split := route("/split", to(cart, 100, sticky("cart", false)), to(canary, 0, sticky("canary", false)))
	split.Canary = &model.Canary{Header: "X-Canary"}
	upload := route("/upload", to(cart, 1, nil))
	upload.Limits = &model.Limits{MaxBodyBytes: 10}
	private := route("/private", to(cart, 1, nil))
	private.Clients = &model.ClientCertificates{Required: true, Fingerprint: "a"}
	s.publish(
		route("/", to(cart, 1, sticky("cart", false))),
		route("/empty", to(empty, 1, nil)),
		route("/nothing"),
		private,
		split,
		route("/strict", to(cart, 1, sticky("cart", true))),
		upload,
		route("/without", to(empty, 100, nil), to(canary, 0, nil)),
	)
}

func TestExplain(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	onB, onC, onGone := s.token("cart", "b", "cart"), s.token("canary", "c", "canary"), s.token("cart", "z", "cart")
	for _, c := range []struct {
		name string
		d    Description
		// want lists the steps up to the one that responds: the route's path, the split, the backend, the outcome, the
		// endpoint ("?" for any), and the status of the response that Limpet generates.
		want   string
		status int
	}{
		{"a new client", Description{Target: "/cart"}, "/ only cart new ?", 0},
		{"a session", Description{Target: "/cart", Header: header("Cookie", "x=y; "+onB)}, "/ only cart hit b", 0},
		{"a session whose pod is gone", Description{Header: header("Cookie", onGone)}, "/ only cart moved/gone ?", 0},
		{"the same, strict", Description{Target: "/strict", Header: header("Cookie", onGone)},
			"/strict only cart refused/gone -", 503},
		{"no route", Description{Host: "blog.example"}, "", 404},
		{"above the root", Description{Target: "/../x"}, "", 400},
		{"no Service", Description{Target: "/nothing"}, "/nothing only -", 503},
		{"no pod", Description{Target: "/empty"}, "/empty only empty none -", 503},
		{"cleartext, where certificates are required", Description{Target: "/private/x"}, "/private", 403},
		{"a body that is too long", Description{Method: "POST", Target: "/upload", Header: header("Content-Length", "11")},
			"/upload", 413},
		{"by weight", Description{Target: "/split"}, "/split weight cart new ?", 0},
		{"by the canary's header", Description{Target: "/split", Header: header("X-Canary", "always")},
			"/split requested canary new c", 0},
		{"by its session", Description{Target: "/split", Header: header("Cookie", onC)}, "/split session canary hit c", 0},
		{"away from a backend without pods", Description{Target: "/without"}, "/without has-pods canary none c", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.d.Host == "" {
				c.d.Host = "Shop.Example.:8080"
			}
			trace := s.explain(&c.d)
			if got := outline(trace); !matches(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			status := 0
			if trace.Response != nil {
				status = trace.Response.Status
			}
			if status != c.status {
				t.Errorf("got status %d, want %d", status, c.status)
			}
		})
	}
}

// TestExplain_refusedPath has a path that matching refuses: there is no route of an object.
func TestExplain_refusedPath(t *testing.T) {
	s := newTestEngine(t)
	backend := []model.Backend{{Pool: s.pool("cart", "a"), Weight: 1}}
	s.publish(model.Route{Path: "/", PathType: model.PathPrefix, Backends: backend},
		model.Route{Path: "/admin", PathType: model.PathPrefix, Backends: backend, Closed: "it is closed"})
	trace := s.explain(&Description{Host: "shop.example", Target: "/x/%252e%252e/admin"})
	if trace.Route != nil || trace.Response == nil || trace.Response.Status != 400 || len(trace.Filters) != 1 {
		t.Errorf("got %+v", trace)
	}
}

// outline returns the steps of a trace that were reached, as words.
func outline(t *Trace) string {
	var words []string
	if t.Route != nil {
		words = append(words, t.Route.Path)
	}
	if t.SplitReason != "" {
		words = append(words, string(t.SplitReason), "-")
	}
	if t.Backend != nil {
		words[len(words)-1] = t.Backend.Pool.ID.Service
		outcome := t.Outcome.String()
		if t.Reason != affinity.ReasonNone {
			outcome += "/" + t.Reason.String()
		}
		words = append(words, outcome, "-")
		if t.Endpoint != nil {
			words[len(words)-1] = t.Endpoint.Pod
		}
	}
	return strings.Join(words, " ")
}

// matches compares outlines. A "?" at the end of want matches any endpoint.
func matches(got, want string) bool {
	begin, isAny := strings.CutSuffix(want, "?")
	return got == want || isAny && strings.HasPrefix(got, begin) && !strings.HasSuffix(got, "-")
}

func TestExplain_steps(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	s.ClientHeaders = append(s.ClientHeaders, http1.FieldXForwardedFor)
	trace := s.explain(&Description{
		Host: "SHOP.example:80", Target: "/a/../split/%7e?x=1", Peer: netip.MustParseAddr("10.0.0.1"),
		Header: http.Header{"X-Forwarded-For": {"192.0.2.9"}, "Cookie": {s.token("cart", "a", "cart")}},
		TLS:    &filter.TLSSession{ServerName: "shop.example"},
	})
	if trace.Host != "shop.example" || trace.Path != "/split/~" || trace.Forward != "/split/~?x=1" {
		t.Errorf("host %s, path %s, forwarded as %s", trace.Host, trace.Path, trace.Forward)
	}
	if trace.ClientIP != netip.MustParseAddr("192.0.2.9") || trace.Generation != 1 {
		t.Errorf("client %s, generation %d", trace.ClientIP, trace.Generation)
	}
	if len(trace.Filters) < 2 || trace.Filters[0].Name != "client-certificates" || trace.Filters[0].Protects {
		t.Errorf("filters %+v", trace.Filters)
	}
	if len(trace.Methods) != 1 || trace.Methods[0].Result != affinity.ResultAlive || trace.Methods[0].Name != "cart" {
		t.Errorf("methods %+v", trace.Methods)
	}
	denied := s.explain(&Description{Host: "shop.example", Target: "/private"})
	if last := len(denied.Filters) - 1; last < 0 || !denied.Filters[last].Protects || denied.Filters[last].Response != denied.Response {
		t.Errorf("filters %+v", denied.Filters)
	}
}

// TestExplain_countsNothing checks that a described request changes no counter.
func TestExplain_countsNothing(t *testing.T) {
	s := newTestEngine(t)
	s.shop()
	for range 10 {
		s.explain(&Description{Host: "shop.example"})
	}
	set := s.pools.Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80}).Set()
	for i := range set.Len() {
		if set.Sessions(i) != 0 || set.ActiveRequests(i) != 0 || set.AnonymousRequests(i) != 0 {
			t.Errorf("endpoint %d: %d sessions, %d requests, %d guests", i, set.Sessions(i), set.ActiveRequests(i), set.AnonymousRequests(i))
		}
	}
}

func TestExplain_invalid(t *testing.T) {
	s := newTestEngine(t)
	for name, d := range map[string]Description{
		"method": {Method: "G ET", Host: "a"}, "target": {Target: "a b", Host: "a"}, "host": {Host: "a b"},
		"length": {Host: "a", Header: http.Header{"Content-Length": {"x"}}},
	} {
		if _, err := s.Explain(&d); err == nil {
			t.Errorf("an invalid %s is explained", name)
		}
	}
	if got := s.explain(&Description{Host: "a"}).Response; got != noTable {
		t.Errorf("without a table: got %+v", got)
	}
}
