package admin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

func newTestHandler(ready *bool) http.Handler { return New(testOptions(ready)).Handler() }

func testOptions(ready *bool) Options {
	pools := upstream.NewRegistry()
	pools.Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80}).Replace([]model.Endpoint{
		{ID: "uid-a", Pod: "cart-a", Address: "10.0.0.7:8080", State: model.EndpointReady},
		{ID: "uid-b", Pod: "cart-b", Address: "10.0.0.8:8080", State: model.EndpointDraining},
	})
	return Options{
		Ready:   func() bool { return *ready },
		Metrics: observe.NewMetrics(),
		Pools:   pools,
		Table: func() Table {
			return Table{Generation: 7, BuiltAt: time.Unix(0, 0).UTC(), Routes: []model.Route{{Host: "shop.example.com"}},
				Problems: []string{"something"}}
		},
		Access: Access{TrustLoopback: true}, Explain: http.NotFoundHandler(), Check: http.NotFoundHandler(),
		Page: http.NotFoundHandler(), API: http.NotFoundHandler(), Status: http.NotFoundHandler(),
		Sessions: http.NotFoundHandler(), Peers: http.NotFoundHandler(), Drain: &sessions.Fleet{},
		LogLevel: func() string { return "info" }, SetLogLevel: func(string) error { return nil },
	}
}

// localRequest returns a GET request of a client on loopback.
func localRequest(t *testing.T, path string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:9090"+path, nil)
	r.RemoteAddr = "127.0.0.1:5000"
	return r
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, localRequest(t, path))
	return w.Code, w.Body.String()
}

func TestReadyz_followsReady(t *testing.T) {
	ready := false
	h := newTestHandler(&ready)
	if status, _ := get(t, h, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("not ready: status %d", status)
	}
	if status, _ := get(t, h, "/healthz"); status != http.StatusOK {
		t.Errorf("healthy: status %d", status)
	}
	ready = true
	if status, _ := get(t, h, "/readyz"); status != http.StatusOK {
		t.Errorf("ready: status %d", status)
	}
}

func TestMetrics_endpoints(t *testing.T) {
	ready := true
	_, body := get(t, newTestHandler(&ready), "/metrics")
	for _, want := range []string{
		`limpet_endpoint_inflight{endpoint="10.0.0.7:8080",pool="shop/cart:80",state="Ready"} 0`,
		`limpet_endpoint_sessions{endpoint="10.0.0.8:8080",pool="shop/cart:80",state="Draining"} 0`,
		`limpet_pool_endpoints{pool="shop/cart:80",state="Ready"} 1`,
		`limpet_pool_endpoints{pool="shop/cart:80",state="Draining"} 1`,
		`limpet_pool_endpoints{pool="shop/cart:80",state="NotReady"} 0`,
		`limpet_pool_endpoints{pool="shop/cart:80",state="Ejected"} 0`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("missing %s", want)
		}
	}
}

func TestMetrics_ejections(t *testing.T) {
	ready := true
	o := testOptions(&ready)
	h := New(o).Handler()
	pool := o.Pools.Find("shop/cart:80")
	pool.Replace([]model.Endpoint{
		{ID: "a", Address: "10.0.0.7:8080", State: model.EndpointReady}, {ID: "b", Address: "10.0.0.8:8080", State: model.EndpointReady},
	})
	if _, body := get(t, h, "/metrics"); strings.Contains(body, "limpet_ejections_total{") {
		t.Error("a pool without ejections has the series")
	}
	for range model.DefaultEjection.Failures {
		pool.Failed(pool.Set().Endpoint(0), upstream.FailureConnect, &model.DefaultEjection)
	}
	_, body := get(t, h, "/metrics")
	for _, want := range []string{`limpet_ejections_total{pool="shop/cart:80",reason="connect"} 1`, "limpet_ejected_endpoints 1"} {
		if !strings.Contains(body, want) {
			t.Errorf("missing %s", want)
		}
	}
}

func TestMetrics_removalOfAnEndpoint(t *testing.T) {
	ready := true
	o := testOptions(&ready)
	h := New(o).Handler()
	const series = "\nlimpet_pool_last_removal_timestamp_seconds{pool=\"shop/cart:80\"} "
	if _, body := get(t, h, "/metrics"); strings.Contains(body, series) {
		t.Error("a pool that no endpoint has left has a removal")
	}
	stays := []model.Endpoint{{ID: "uid-a", Pod: "cart-a", Address: "10.0.0.7:8080", State: model.EndpointReady}}
	o.Pools.Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80}).Replace(stays)
	if _, body := get(t, h, "/metrics"); !strings.Contains(body, series) {
		t.Error("the removal of an endpoint is missing")
	}
}

// Only recent removals are exported: the others would be as many series as there are pools.
func TestCollectRemovals_recentOnly(t *testing.T) {
	ready := true
	o := testOptions(&ready)
	o.Pools.Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80}).Replace(nil)
	c := &poolCollector{o.Pools, observe.DetailPool}
	for after, want := range map[time.Duration]int{time.Minute: 1, 3 * time.Hour: 0} {
		ch := make(chan prometheus.Metric, 2)
		if c.collectRemovals(ch, time.Now().Add(after)); len(ch) != want {
			t.Errorf("%d series %v after the removal, want %d", len(ch), after, want)
		}
	}
}

func TestDebugTable(t *testing.T) {
	ready := true
	_, body := get(t, newTestHandler(&ready), "/debug/table")
	var got struct {
		Generation int
		Routes     []struct{ Host string }
		Problems   []string
		Pools      []struct {
			ID        string
			Endpoints []struct{ Pod, State string }
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Generation != 7 || got.Routes[0].Host != "shop.example.com" || got.Problems[0] != "something" ||
		got.Pools[0].ID != "shop/cart:80" || got.Pools[0].Endpoints[1].State != "Draining" {
		t.Errorf("got %s", body)
	}
}

func TestHandler_notThroughTheProxy(t *testing.T) {
	ready := true
	h := newTestHandler(&ready)
	for _, c := range []struct {
		fields []string
		want   int
	}{
		{nil, http.StatusOK},
		{[]string{"X-Forwarded-For"}, http.StatusOK}, // the proxy of the API server
		{[]string{"X-Request-ID"}, http.StatusOK},
		{[]string{"X-Real-IP", "X-Request-ID"}, http.StatusForbidden},
	} {
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/debug/table"} {
			r := localRequest(t, path)
			for _, field := range c.fields {
				r.Header.Set(field, "x")
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s with %v: status %d, want %d", path, c.fields, w.Code, c.want)
			}
		}
	}
}

func TestHandler_pageNeedsNoAccessButItsData(t *testing.T) {
	ready := true
	o := testOptions(&ready)
	found := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	o.Page, o.API = found, found
	h := New(o).Handler()
	for path, want := range map[string]int{
		"/": 200, "/assets/app.js": 200, "/other": 404, "/api/overview": 403, "/api/": 403, "/api/routes?q=a": 403,
	} {
		if status := request(t, h, "10.1.2.3:5000", path, ""); status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	if status, _ := get(t, h, "/api/overview"); status != http.StatusOK {
		t.Errorf("/api/overview on loopback: status %d", status)
	}
}
