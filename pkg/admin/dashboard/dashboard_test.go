package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/status"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

var cartID = model.PoolID{Namespace: "shop", Service: "cart", Port: 80}

// session is the id of a session, which is a hash.
const session = 0x9e3779b97f4a7c15

// fixture is a Dashboard with a pool that has one endpoint in each state.
type fixture struct {
	*Dashboard
	cart    *upstream.Pool
	metrics *observe.Metrics
	state   State
	changes uint64
	loads   int
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	registry := upstream.NewRegistry()
	f := &fixture{metrics: observe.NewMetrics(), cart: registry.Pool(cartID), state: State{Generation: 7, Digest: 42}}
	f.metrics.Attach(f.cart.Slot, cartID)
	f.cart.Replace([]model.Endpoint{
		{ID: "uid-a", Pod: "cart-a", Address: "10.0.0.7:8080", State: model.EndpointReady},
		{ID: "uid-b", Pod: "cart-b", Address: "10.0.0.8:8080", State: model.EndpointDraining},
		{ID: "uid-c", Pod: "cart-c", Address: "10.0.0.9:8080", State: model.EndpointNotReady},
	})
	f.Dashboard = New(Options{Version: "1.2.3", Ready: func() bool { return true }, Pools: registry, Metrics: f.metrics,
		Sessions: (&sessions.Fleet{Counter: sessions.Counter{Pools: registry, Self: sessions.Replica{Name: "limpet-a"}}}).Total,
		Replicas: func(context.Context) *status.Summary {
			return status.Summarize([]status.Member{{Name: "limpet-a", Replica: &status.Replica{Ready: true, Digest: 42}},
				{Name: "limpet-b", Error: "connection refused"}}, time.Now())
		},
		Usage:   func(r *model.Route) (uint64, int64) { return uint64(len(r.Host)), 1_800_000_000 },
		Changes: func() uint64 { return f.changes }, State: func() State { f.loads++; return f.state }})
	return f
}

// get decodes the document at a path into v.
func (f *fixture) get(t *testing.T, path string, v any) {
	t.Helper()
	w := f.respond(t, path)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d, %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func (f *fixture) respond(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	f.API().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func TestOverview_countsWhatIsServed(t *testing.T) {
	f := newFixture(t)
	f.state.Routes = []model.Route{{Host: "a.example"}, {Host: "b.example", Closed: "no password file"}}
	f.state.Problems = []Problem{{Reason: "InvalidHost"}}
	f.state.Certificates = []model.Certificate{certificateUntil(time.Hour), certificateUntil(1000 * time.Hour)}
	f.cart.Set().Endpoint(0).SessionServed(session)
	f.options.Pools.Pool(model.PoolID{Namespace: "shop", Service: "empty", Port: 80})
	var got overview
	f.get(t, "/api/overview", &got)
	want := overview{Version: "1.2.3", Ready: true, Generation: 7, Digest: 42, Routes: 2, Closed: 1, Pools: 2, Empty: 1,
		Pods: map[string]int{"Ready": 1, "Draining": 1, "NotReady": 1, "Ejected": 0}, Problems: 1, Certificates: 2, Expiring: 1, Sessions: 1}
	got.History = nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRoutes_searchAmongManyIsPaged(t *testing.T) {
	f := newFixture(t)
	for i := range 10_000 {
		f.state.Routes = append(f.state.Routes, model.Route{Host: fmt.Sprintf("host-%05d.example", i), Path: "/",
			Source: model.Ref{Kind: "Ingress", Namespace: fmt.Sprintf("team-%d", i%10), Name: "web"}})
	}
	for _, c := range []struct {
		query  string
		total  int
		items  int
		first  string
		offset int
	}{
		{"", 10_000, 50, "host-00000.example", 0},
		{"q=HOST-0123", 10, 10, "host-01230.example", 0},
		{"q=team-3/web+host-0999", 1, 1, "host-09993.example", 0},
		{"namespace=team-4&limit=200&offset=900", 1000, 100, "host-09004.example", 900},
		{"q=nothing", 0, 0, "", 0},
		{"offset=20000", 10_000, 0, "", 20_000},
	} {
		var got page[route]
		f.get(t, "/api/routes?"+c.query, &got)
		if got.Total != c.total || len(got.Items) != c.items || got.Offset != c.offset {
			t.Errorf("%s: total %d, %d items from %d", c.query, got.Total, len(got.Items), got.Offset)
		}
		if len(got.Items) > 0 && got.Items[0].Host != c.first {
			t.Errorf("%s: the first is %s, want %s", c.query, got.Items[0].Host, c.first)
		}
	}
	if f.loads != 1 {
		t.Errorf("the state was loaded %d times, want once", f.loads)
	}
}

func TestRoutes_describeFilters(t *testing.T) {
	f := newFixture(t)
	f.state.Routes = []model.Route{{Host: "a.example", Path: "/", PathType: model.PathExact, Clients: &model.ClientCertificates{},
		Backends: []model.Backend{{Pool: cartID, Weight: 3, Affinity: &model.Affinity{Source: model.Ref{Name: "cart"}}}},
		Filters:  &model.Filters{Access: &model.Access{}, Rewrite: &model.Rewrite{}}}}
	var got page[route]
	f.get(t, "/api/routes", &got)
	r := got.Items[0]
	if want := []string{"clients", "access", "rewrite"}; !slices.Equal(r.Filters, want) {
		t.Errorf("filters %q, want %q", r.Filters, want)
	}
	if r.Requests != 9 || r.LastUsed.Unix() != 1_800_000_000 {
		t.Errorf("%d requests, the last at %v", r.Requests, r.LastUsed)
	}
	if b := r.Backends[0]; b.Pool != "shop/cart:80" || b.Weight != 3 || b.Affinity.Name != "cart" {
		t.Errorf("backend %+v", b)
	}
}

func TestQuery_refusesWhatItDoesNotKnow(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{
		"/api/routes?limit=201", "/api/routes?limit=0", "/api/routes?offset=-1", "/api/routes?offset=x", "/api/routes?other=1",
		"/api/routes?q=a&q=b", "/api/routes?q=" + strings.Repeat("x", 201), "/api/routes?sort=sessions", "/api/pools?sort=name;",
		"/api/overview?q=a", "/api/pool?id=a&q=b", "/api/routes?%zz",
	} {
		if w := f.respond(t, path); w.Code != http.StatusBadRequest {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	for _, path := range []string{"/api/pool", "/api/pool?id=shop/other:80", "/api/nothing"} {
		if w := f.respond(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

func TestPool_listsEndpointsInEachState(t *testing.T) {
	f := newFixture(t)
	f.cart.Set().Endpoint(0).SessionServed(session)
	f.cart.Set().Endpoint(0).SessionResponded(session, 1800, true)
	f.cart.Set().Endpoint(0).BeginRequest()
	f.metrics.Pool(f.cart.Slot).Request(http.StatusBadGateway, time.Second)
	f.metrics.Pool(f.cart.Slot).Decision(affinity.OutcomeMoved, affinity.ReasonGone)
	f.sampler.sample()
	var got poolDetail
	f.get(t, "/api/pool?id=shop/cart:80", &got)
	var states []string
	for _, e := range got.Endpoints {
		states = append(states, e.Pod+" "+e.State)
	}
	if want := []string{"cart-a Ready", "cart-b Draining", "cart-c NotReady"}; !slices.Equal(states, want) {
		t.Errorf("endpoints %q, want %q", states, want)
	}
	if e := got.Endpoints[0]; e.Sessions != 1 || e.InFlight != 1 || !slices.Equal(e.History.Sessions, []uint32{1}) {
		t.Errorf("cart-a is %+v", e)
	}
	if c := got.Counts; c.Requests != 1 || c.Errors != 1 || c.Outcomes["moved"] != 1 || c.Moved["gone"] != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestPools_areSortedByRequest(t *testing.T) {
	f := newFixture(t)
	other := f.options.Pools.Pool(model.PoolID{Namespace: "shop", Service: "admin", Port: 80})
	f.metrics.Attach(other.Slot, other.ID)
	f.cart.Set().Endpoint(0).SessionServed(session)
	f.metrics.Pool(f.cart.Slot).Decision(affinity.OutcomeMoved, affinity.ReasonGone)
	for sort, want := range map[string]string{"": "shop/admin:80", "name": "shop/admin:80", "sessions": "shop/cart:80", "moved": "shop/cart:80"} {
		var got page[pool]
		f.get(t, "/api/pools?sort="+sort, &got)
		if len(got.Items) != 2 || got.Items[0].ID != want {
			t.Errorf("sort %q: %+v", sort, got.Items)
		}
	}
}

func TestProblems_areSearched(t *testing.T) {
	f := newFixture(t)
	shop := model.Ref{Kind: "Ingress", Namespace: "shop", Name: "web"}
	f.state.Problems = []Problem{{shop, "spec.rules[0].host", "InvalidHost", "the host is <b>bold</b>"},
		{model.Ref{Kind: "Ingress", Namespace: "blog", Name: "web"}, "", "ServiceNotFound", "no Service"}}
	for query, want := range map[string]string{"q=invalidhost": "InvalidHost", "namespace=blog": "ServiceNotFound", "q=rules[0]": "InvalidHost"} {
		var got page[problem]
		f.get(t, "/api/problems?"+query, &got)
		if got.Total != 1 || got.Items[0].Reason != want || got.Items[0].Advice != adviceByReason[want] {
			t.Errorf("%s: %+v", query, got)
		}
	}
}

func TestState_isLoadedAfterAChange(t *testing.T) {
	f := newFixture(t)
	f.states.get()
	f.states.get()
	if f.loads != 1 {
		t.Errorf("loaded %d times without a change", f.loads)
	}
	f.changes++
	f.states.get()
	f.states.expire(time.Now().Add(stateLifetime / 2))
	f.states.get()
	if f.loads != 2 {
		t.Errorf("loaded %d times after one change", f.loads)
	}
	f.states.expire(time.Now().Add(2 * stateLifetime))
	if f.states.current != nil {
		t.Error("a state that nobody reads is kept")
	}
}
