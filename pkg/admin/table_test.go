package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// report is a problem of an object.
type report struct{ Ref model.Ref }

func (r report) Object() model.Ref { return r.Ref }

func ingress(namespace, name string) model.Ref {
	return model.Ref{Kind: "Ingress", Namespace: namespace, Name: name}
}

func poolID(namespace, service string) model.PoolID {
	return model.PoolID{Namespace: namespace, Service: service, Port: 80}
}

func newTableHandler() http.Handler {
	ready := true
	o := testOptions(&ready)
	route := func(host string, source model.Ref, services ...string) model.Route {
		r := model.Route{Host: host, Path: "/", Source: source}
		for _, service := range services {
			r.Backends = append(r.Backends, model.Backend{Pool: poolID(source.Namespace, service)})
		}
		return r
	}
	o.Pools = upstream.NewRegistry()
	for _, service := range []string{"cart", "cart-canary", "blog"} {
		o.Pools.Pool(poolID("shop", service))
	}
	o.Pools.Pool(poolID("news", "blog"))
	o.Table = func() Table {
		return Table{
			Routes: []model.Route{
				route("*.example.com", ingress("news", "main"), "blog"),
				route("blog.example.com", ingress("shop", "blog"), "blog"),
				route("shop.example.com", ingress("shop", "main"), "cart", "cart-canary"),
			},
			Problems: []report{{ingress("news", "main")}, {ingress("shop", "blog")}, {ingress("shop", "main")},
				{model.Ref{Kind: "AffinityPolicy", Namespace: "shop", Name: "main"}}},
		}
	}
	return New(o).Handler()
}

func TestDebugTable_filters(t *testing.T) {
	h := newTableHandler()
	for query, want := range map[string]string{
		"": "*.example.com blog.example.com shop.example.com | Ingress news/main, Ingress shop/blog, Ingress shop/main, AffinityPolicy " +
			"shop/main | news/blog:80 shop/blog:80 shop/cart:80 shop/cart-canary:80",
		"?host=Shop.example.com":  "shop.example.com | Ingress shop/main | shop/cart:80 shop/cart-canary:80",
		"?host=*.example.com":     "*.example.com | Ingress news/main | news/blog:80",
		"?host=other.example.com": " |  | ",
		"?namespace=news":         "*.example.com | Ingress news/main | news/blog:80",
		"?ingress=main": "*.example.com shop.example.com | Ingress news/main, Ingress shop/main | " +
			"news/blog:80 shop/cart:80 shop/cart-canary:80",
		"?ingress=main&namespace=shop":        "shop.example.com | Ingress shop/main | shop/cart:80 shop/cart-canary:80",
		"?pool=shop/cart:80":                  "shop.example.com | Ingress shop/main | shop/cart:80",
		"?pool=shop/cart:80&namespace=news":   " |  | ",
		"?pool=shop/cart:80&host=blog.ex.com": " |  | ",
	} {
		status, body := get(t, h, "/debug/table"+query)
		if got := summary(t, body); status != http.StatusOK || got != want {
			t.Errorf("%s: status %d\ngot  %s\nwant %s", query, status, got, want)
		}
	}
}

func summary(t *testing.T, body string) string {
	t.Helper()
	var table struct {
		Routes   []struct{ Host string }
		Problems []report
		Pools    []struct{ ID string }
	}
	if err := json.Unmarshal([]byte(body), &table); err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	var hosts, problems, pools []string
	for _, r := range table.Routes {
		hosts = append(hosts, r.Host)
	}
	for _, p := range table.Problems {
		problems = append(problems, p.Ref.String())
	}
	for _, p := range table.Pools {
		pools = append(pools, p.ID)
	}
	return strings.Join([]string{strings.Join(hosts, " "), strings.Join(problems, ", "), strings.Join(pools, " ")}, " | ")
}

func TestDebugTable_invalidQueries(t *testing.T) {
	h := newTableHandler()
	for _, query := range []string{"?service=cart", "?host=a&host=b", "?host=%zz", "?Host=a"} {
		if status, body := get(t, h, "/debug/table"+query); status != http.StatusBadRequest {
			t.Errorf("%s: status %d: %s", query, status, body)
		}
	}
}

// slowWriter records the size of each write. It fails after a number of writes.
type slowWriter struct {
	*httptest.ResponseRecorder
	sizes []int
	limit int
}

func (w *slowWriter) Write(p []byte) (int, error) {
	if w.limit > 0 && len(w.sizes) == w.limit {
		return 0, errors.New("the client is gone")
	}
	w.sizes = append(w.sizes, len(p))
	return len(p), nil
}

func TestDebugTable_isStreamed(t *testing.T) {
	ready := true
	o := testOptions(&ready)
	routes := make([]model.Route, 20000)
	for i := range routes {
		routes[i] = model.Route{Host: fmt.Sprintf("host-%d.example.com", i), Source: ingress("shop", "main")}
	}
	o.Table = func() Table { return Table{Routes: routes} }
	h := New(o).Handler()
	w := &slowWriter{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(w, localRequest(t, "/debug/table"))
	if len(w.sizes) < 50 || slices.Max(w.sizes) > 64<<10 {
		t.Errorf("%d writes, the largest of %d bytes", len(w.sizes), slices.Max(w.sizes))
	}
	gone := &slowWriter{ResponseRecorder: httptest.NewRecorder(), limit: 2}
	allocs := testing.AllocsPerRun(1, func() {
		gone.sizes = nil
		h.ServeHTTP(gone, localRequest(t, "/debug/table"))
	})
	if allocs > 20000 {
		t.Errorf("%v allocations after the client has gone", allocs)
	}
}
