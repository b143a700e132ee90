package observe

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// fleet is a number of pools in ten namespaces, each with ten endpoints, all with traffic.
func fleet(tb testing.TB, pools int, o MetricsOptions) *Metrics {
	tb.Helper()
	m := NewMetricsWith(o)
	names, addresses := make([]string, pools), make([]string, 10*pools)
	for slot := range pools {
		id := model.PoolID{Namespace: fmt.Sprintf("team-%d", slot%10), Service: fmt.Sprintf("app-%05d", slot), Port: 80}
		names[slot] = id.String()
		m.Attach(slot, id)
		serve(m.Pool(slot))
	}
	for i := range addresses {
		addresses[i] = fmt.Sprintf("10.0.%d.%d:80", i/10, i%10)
	}
	serve(m.NoRoute)
	m.WatchEndpoints(func(visit func(int, string, []EndpointLoad)) {
		loads := make([]EndpointLoad, 10)
		for slot, name := range names {
			for i := range loads {
				loads[i] = EndpointLoad{Address: addresses[10*slot+i], State: model.EndpointReady,
					IsReady: true, Sessions: int64(i), InFlight: int64(slot % 3)}
			}
			visit(slot, name, loads)
		}
	})
	return m
}

func serve(p *PoolMetrics) {
	p.Request(200, time.Millisecond)
	p.Decision(affinity.OutcomeNew, affinity.ReasonNone)
	p.Request(200, time.Millisecond)
	p.Decision(affinity.OutcomeHit, affinity.ReasonNone)
}

func expiring(unix int64) *model.Certificate {
	return &model.Certificate{Pair: &tls.Certificate{Leaf: &x509.Certificate{NotAfter: time.Unix(unix, 0)}}}
}

func series(text string) (n int) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	return n
}

func TestDetail_numberOfSeries(t *testing.T) {
	for _, c := range []struct {
		detail          Detail
		limit           int
		atLeast, atMost int
	}{
		{DetailController, 95000, 100, 1000},
		{DetailNamespace, 95000, 200, 1000},
		{DetailPool, 95000, 85000, 99999},
		{DetailPool, 20000, 15000, 20200},
		{DetailEndpoint, 95000, 85000, 99999},
	} {
		t.Run(fmt.Sprintf("%s up to %d", c.detail, c.limit), func(t *testing.T) {
			m := fleet(t, 10000, MetricsOptions{Detail: c.detail, MaxSeries: c.limit})
			if n := series(scrape(t, m)); n < c.atLeast || n > c.atMost {
				t.Errorf("%d series, want %d to %d", n, c.atLeast, c.atMost)
			}
		})
	}
}

func TestDetail_labels(t *testing.T) {
	for _, c := range []struct {
		detail  Detail
		has, no []string
	}{
		{DetailController, []string{
			`limpet_requests_total{code="2xx"} 22`,
			`limpet_request_duration_seconds_count 22`,
			`limpet_endpoint_sessions_max 9`,
			`limpet_endpoint_inflight_mean 0.9`,
			`limpet_retries_total 0`,
		}, []string{`pool=`, `namespace=`}},
		{DetailNamespace, []string{
			`limpet_requests_total{code="2xx",namespace="team-3"} 2`,
			`limpet_requests_total{code="2xx",namespace=""} 2`,
			`limpet_request_duration_seconds_count{namespace="team-3"} 2`,
			`limpet_endpoint_sessions_mean{namespace="team-3"} 4.5`,
		}, []string{`pool=`, `endpoint=`}},
		{DetailPool, []string{
			`limpet_requests_total{code="2xx",pool="team-2/app-00002:80"} 2`,
			`limpet_affinity_decisions_total{outcome="hit",pool="team-2/app-00002:80",reason=""} 1`,
			`limpet_requests_total{code="503",pool=""} 0`,
			`limpet_request_duration_seconds_count 22`,
			`limpet_endpoint_sessions_max{pool="team-2/app-00002:80"} 9`,
			`limpet_endpoint_sessions_min{pool="team-2/app-00002:80"} 0`,
			`limpet_endpoint_inflight_max{pool="team-2/app-00002:80"} 2`,
			`limpet_metrics_over_limit 0`,
		}, []string{`endpoint=`, `code="503",pool="team-2`}},
		{DetailEndpoint, []string{
			`limpet_requests_total{code="503",pool="team-2/app-00002:80"} 0`,
			`limpet_request_duration_seconds_count{pool="team-2/app-00002:80"} 2`,
			`limpet_endpoint_sessions_mean{pool="team-2/app-00002:80"} 4.5`,
			`limpet_endpoint_sessions{endpoint="10.0.2.3:80",pool="team-2/app-00002:80",state="Ready"} 3`,
			`limpet_endpoint_inflight{endpoint="10.0.2.3:80",pool="team-2/app-00002:80",state="Ready"} 2`,
		}, nil},
	} {
		text := scrape(t, fleet(t, 10, MetricsOptions{Detail: c.detail}))
		for _, sample := range c.has {
			if !strings.Contains(text, "\n"+sample+"\n") {
				t.Errorf("%s: missing %s", c.detail, sample)
			}
		}
		for _, part := range c.no {
			if strings.Contains(text, part) {
				t.Errorf("%s: contains %s", c.detail, part)
			}
		}
	}
}

func TestMetrics_overLimit(t *testing.T) {
	m := fleet(t, 100, MetricsOptions{Detail: DetailPool, MaxSeries: 200})
	text := scrape(t, m)
	// The requests without a pool need 43 series, so there is capacity for (200 * 95 % - 43) / 9 = 16 pools. All requests count.
	for _, sample := range []string{
		`limpet_metrics_over_limit 84`,
		`limpet_requests_total{code="2xx",pool="_other"} 168`,
		`limpet_request_duration_seconds_count 202`,
	} {
		if !strings.Contains(text, "\n"+sample+"\n") {
			t.Errorf("missing %s in\n%s", sample, grep(text, "over_limit", "_other", "_count"))
		}
	}
}

// Pools with series get more of them with each new status. The limit holds even then.
func TestMetrics_growthKeepsLimit(t *testing.T) {
	const limit = 1000
	m := fleet(t, 100, MetricsOptions{Detail: DetailPool, MaxSeries: limit})
	scrape(t, m)
	for slot := range 100 {
		for _, status := range []int{100, 301, 404, 500, 501, 502, 503, 504} {
			m.Pool(slot).Request(status, time.Second)
		}
	}
	text := scrape(t, m)
	ofPools := strings.Count(text, `pool="team-`)
	if ofPools > limit || ofPools < limit/2 || strings.Contains(text, "over_limit 0\n") {
		t.Errorf("%d series of pools, limit %d: %s", ofPools, limit, grep(text, "over_limit"))
	}
}

func TestMetrics_freedCapacity(t *testing.T) {
	m := NewMetricsWith(MetricsOptions{Detail: DetailPool, MaxSeries: 100})
	ids := make([]model.PoolID, 20)
	for slot := range ids {
		ids[slot] = model.PoolID{Namespace: "shop", Service: fmt.Sprintf("app-%02d", slot), Port: 80}
		m.Attach(slot, ids[slot])
		serve(m.Pool(slot))
	}
	if text := scrape(t, m); strings.Contains(text, "shop/app-19:80") {
		t.Error("the last pool has series in spite of the limit")
	}
	for _, id := range ids[:18] {
		m.Detach(id)
	}
	scrape(t, m)
	serve(m.Pool(19))
	if text := scrape(t, m); !strings.Contains(text, `limpet_requests_total{code="2xx",pool="shop/app-19:80"} 2`) {
		t.Error("the pool has no series although there is capacity")
	}
}

func TestMetrics_onlyRecentTraffic(t *testing.T) {
	m := NewMetricsWith(MetricsOptions{Detail: DetailPool})
	now, inFlight := time.Unix(1800000000, 0), int64(0)
	m.traffic.now = func() time.Time { return now }
	m.Attach(0, cart)
	m.Attach(1, model.PoolID{Namespace: "shop", Service: "blog", Port: 80})
	m.WatchEndpoints(func(visit func(int, string, []EndpointLoad)) {
		visit(0, "shop/cart:80", []EndpointLoad{{IsReady: true, InFlight: inFlight}})
	})
	expect := func(step string, want bool) {
		t.Helper()
		if got := strings.Contains(scrape(t, m), "shop/cart:80"); got != want {
			t.Errorf("%s: exported: %v", step, got)
		}
	}
	expect("without traffic", false)
	serve(m.Pool(0))
	expect("with traffic", true)
	now = now.Add(59 * time.Minute)
	expect("59 minutes later", true)
	inFlight = 1
	expect("with an open stream", true)
	now = now.Add(2 * time.Hour)
	expect("with a stream of two hours", true)
	inFlight = 0
	now = now.Add(time.Hour)
	expect("an hour after the last stream", false)
	serve(m.Pool(0))
	if text := scrape(t, m); !strings.Contains(text, "limpet_request_duration_seconds_count 4\n") || strings.Contains(text, "blog") {
		t.Errorf("after traffic again: %s", grep(text, "shop/", "_count"))
	}
}

func TestDetailOf(t *testing.T) {
	for i, name := range DetailNames() {
		if got := DetailOf(name); got != Detail(i) || got.String() != name {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestCertificates_byDetail(t *testing.T) {
	for _, c := range []struct {
		detail Detail
		want   int
	}{{DetailController, 1}, {DetailNamespace, 2}, {DetailPool, 4}} {
		m := NewMetricsWith(MetricsOptions{Detail: c.detail})
		m.UpdateCertificates(map[model.Ref]*model.Certificate{
			{Namespace: "a", Name: "x"}: expiring(40), {Namespace: "a", Name: "y"}: expiring(30),
			{Namespace: "b", Name: "x"}: expiring(20), {Namespace: "b", Name: "y"}: expiring(50),
		})
		text := scrape(t, m)
		n := strings.Count(text, "\nlimpet_certificate_expiry_timestamp_seconds{")
		if n != c.want || !strings.Contains(text, `{secret="b/x"} 20`) {
			t.Errorf("%s: %s", c.detail, grep(text, "expiry"))
		}
	}
}

// The cost of attaching a pool must not depend on the number of pools.
func TestAttach_memoryIsLinear(t *testing.T) {
	attach := func(pools int) func() {
		return func() {
			m := newGroups(DetailPool, false)
			for slot := range pools {
				m.attach(slot, model.PoolID{Service: "app", Port: int32(slot)})
			}
		}
	}
	few, many := testing.Benchmark(bytesOf(attach(1000))), testing.Benchmark(bytesOf(attach(8000)))
	if ratio := float64(many.AllocedBytesPerOp()) / float64(few.AllocedBytesPerOp()); ratio > 16 {
		t.Errorf("8 times as many pools need %.1f times the memory", ratio)
	}
}

func bytesOf(do func()) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			do()
		}
	}
}

// BenchmarkScrape is a scrape at 10,000 pools with ten endpoints each, all with traffic.
func BenchmarkScrape(b *testing.B) {
	for d := range details {
		b.Run(d.String(), func(b *testing.B) {
			h := fleet(b, 10000, MetricsOptions{Detail: d, MaxSeries: 95000}).Handler()
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			}
		})
	}
}

func grep(text string, parts ...string) string {
	var found strings.Builder
	for line := range strings.Lines(text) {
		for _, part := range parts {
			if strings.Contains(line, part) && !strings.HasPrefix(line, "#") {
				found.WriteString(line)
				break
			}
		}
	}
	return found.String()
}
