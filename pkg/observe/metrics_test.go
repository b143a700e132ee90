package observe

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

var cart = model.PoolID{Namespace: "shop", Service: "cart", Port: 80}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// Dashboards and alerts use these names. Changing them breaks users.
func TestMetrics_namesAreStable(t *testing.T) {
	m := NewMetrics()
	m.Attach(0, cart)
	m.Propagated("table", time.Second)
	m.UpdateCertificates(map[model.Ref]*model.Certificate{{Namespace: "shop", Name: "tls"}: {
		Pair: &tls.Certificate{Leaf: &x509.Certificate{NotAfter: time.Unix(1800000000, 0)}}}})
	m.SessionStore("lost")
	m.BuildInfo("v1", "go1")
	m.Published(1, 1, map[string]int{"EmptyRule": 1})
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		if f.GetHelp() == "" {
			t.Errorf("%s has no help text", f.GetName())
		}
		if !strings.HasPrefix(f.GetName(), "go_") && !strings.HasPrefix(f.GetName(), "process_") {
			names = append(names, f.GetName())
		}
	}
	if want := []string{
		"limpet_affinity_decisions_total",
		"limpet_build_info",
		"limpet_certificate_expiry_timestamp_seconds",
		"limpet_client_connections",
		"limpet_closed_requests_total",
		"limpet_connections_refused_total",
		"limpet_crd_missing_fields",
		"limpet_malformed_requests_total",
		"limpet_memory_budget_bytes",
		"limpet_memory_refused_total",
		"limpet_memory_used_bytes",
		"limpet_metrics_over_limit",
		"limpet_panics_total",
		"limpet_problems",
		"limpet_propagation_seconds",
		"limpet_request_duration_seconds",
		"limpet_requests_total",
		"limpet_retries_total",
		"limpet_session_store_events_total",
		"limpet_session_store_up",
		"limpet_streams",
		"limpet_stripped_upgrades_total",
		"limpet_table_digest",
		"limpet_table_generation", "limpet_trace_spans_total",
		"limpet_upstream_failures_total",
	}; !slices.Equal(names, want) {
		t.Errorf("metrics:\n%s", strings.Join(names, "\n"))
	}
}

func TestMetrics_requests(t *testing.T) {
	m := NewMetrics()
	m.Attach(3, cart)
	for _, status := range []int{100, 200, 204, 301, 404, 499, 503, 600, 999} {
		m.Pool(3).Request(status, 2*time.Millisecond)
	}
	m.Pool(3).Retry()
	m.NoRoute.Request(404, time.Millisecond)
	text := scrape(t, m)
	for _, sample := range []string{
		`limpet_requests_total{code="0xx",pool="shop/cart:80"} 2`,
		`limpet_requests_total{code="1xx",pool="shop/cart:80"} 1`,
		`limpet_requests_total{code="2xx",pool="shop/cart:80"} 2`,
		`limpet_requests_total{code="3xx",pool="shop/cart:80"} 1`,
		`limpet_requests_total{code="4xx",pool="shop/cart:80"} 2`,
		`limpet_requests_total{code="503",pool="shop/cart:80"} 1`,
		`limpet_requests_total{code="4xx",pool=""} 1`,
		`limpet_request_duration_seconds_bucket{pool="shop/cart:80",le="0.0025"} 9`,
		`limpet_request_duration_seconds_count{pool="shop/cart:80"} 9`,
		`limpet_retries_total{pool="shop/cart:80"} 1`,
	} {
		if !strings.Contains(text, sample+"\n") {
			t.Errorf("missing %s", sample)
		}
	}
}

// Every possible pair is exported from the start with the value 0.
func TestMetrics_decisions(t *testing.T) {
	m := NewMetrics()
	m.Attach(0, cart)
	for o := range affinity.NumOutcomes {
		for r := range affinity.NumReasons {
			m.Pool(0).Decision(affinity.Outcome(o), affinity.Reason(r))
		}
	}
	text := scrape(t, m)
	for sample, want := range map[string]bool{
		`outcome="new",pool="shop/cart:80",reason=""`:         true,
		`outcome="hit",pool="shop/cart:80",reason=""`:         true,
		`outcome="moved",pool="shop/cart:80",reason="gone"`:   true,
		`outcome="moved",pool="shop/cart:80",reason=""`:       false,
		`outcome="hit",pool="shop/cart:80",reason="gone"`:     false,
		`outcome="none",pool="shop/cart:80",reason=""`:        true,
		`outcome="invalid",pool="shop/cart:80",reason=""`:     true,
		`outcome="refused",pool="shop/cart:80",reason=""`:     false,
		`outcome="refused",pool="shop/cart:80",reason="gone"`: true,
	} {
		if got := strings.Contains(text, "limpet_affinity_decisions_total{"+sample+"} 1\n"); got != want {
			t.Errorf("%s exported: %v", sample, got)
		}
	}
}

func TestMetrics_detachRemovesSeries(t *testing.T) {
	blog := model.PoolID{Namespace: "shop", Service: "blog", Port: 80}
	m := NewMetrics()
	m.Attach(0, cart)
	m.Attach(1, blog)
	old := m.Pool(0)
	old.Request(200, time.Millisecond)
	m.Detach(cart)
	old.Request(200, time.Millisecond) // that was on its way still
	m.Pool(0).Request(200, time.Millisecond)
	if text := scrape(t, m); strings.Contains(text, "shop/cart:80") || !strings.Contains(text, "shop/blog:80") {
		t.Error("the wrong series were removed")
	}
	for _, slot := range []int{0, 5} {
		m.Attach(slot, cart)
		m.Pool(slot).Request(200, time.Millisecond)
		if want := `limpet_requests_total{code="2xx",pool="shop/cart:80"} 1`; !strings.Contains(scrape(t, m), want+"\n") {
			t.Errorf("reattached in slot %d: missing %s", slot, want)
		}
		m.Detach(cart)
	}
}

func TestMetrics_attachTwiceKeepsCounts(t *testing.T) {
	m := NewMetrics()
	m.Attach(0, cart)
	p := m.Pool(0)
	m.Attach(0, cart)
	m.Attach(7, model.PoolID{Service: "other"})
	if m.Pool(0) != p {
		t.Error("the metrics of an attached pool were replaced")
	}
}

func TestMetrics_allocatesNothing(t *testing.T) {
	m := NewMetrics()
	m.Attach(0, cart)
	if n := testing.AllocsPerRun(100, func() {
		p := m.Pool(0)
		p.Request(200, time.Millisecond)
		p.Decision(affinity.OutcomeHit, affinity.ReasonNone)
		p.Retry()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
