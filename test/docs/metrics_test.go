package docs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/limpet-dev/limpet/pkg/admin"
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/affinity/store"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

func TestMetrics_matchProgram(t *testing.T) {
	var b strings.Builder
	b.WriteString("| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n")
	for _, family := range metrics(t) {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n",
			family.GetName(), strings.ToLower(family.GetType().String()), labelsOf(family), family.GetHelp())
	}
	if !strings.Contains(readPage(t, "docs/reference/metrics.md").text, b.String()) {
		t.Errorf("docs/reference/metrics.md must have:\n%s", b.String())
	}
}

// metrics returns all metrics of Limpet, each with a series.
func metrics(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	m, pools := observe.NewMetrics(), upstream.NewRegistry()
	admin.New(admin.Options{Metrics: m, Pools: pools})
	pool := pools.Pool(model.PoolID{Namespace: "default", Service: "cart", Port: 80})
	pool.Replace([]model.Endpoint{{ID: "b", Address: "10.0.0.2:80", State: model.EndpointReady}}) // leaves with the next line
	pool.Replace([]model.Endpoint{{ID: "a", Address: "10.0.0.1:80", State: model.EndpointReady}})
	pool.Replace([]model.Endpoint{
		{ID: "a", Address: "10.0.0.1:80", State: model.EndpointReady}, {ID: "c", Address: "10.0.0.3:80", State: model.EndpointReady},
	})
	pool.Failed(pool.Set().Endpoint(0), upstream.FailureConnect, &model.Ejection{Failures: 1, MaxPercent: 50})
	m.Attach(pool.Slot, pool.ID)
	m.Propagated("table", time.Second)
	m.SessionStore("down")
	m.BuildInfo("v1", "go1")
	m.Published(1, 1, map[string]int{"EmptyRule": 1})
	m.Subrequest("mirror", "ok")
	m.NginxAnnotations(map[string]int{"exact": 1})
	m.LikelyMistake(model.Ref{Kind: "AffinityPolicy", Namespace: "shop", Name: "cart"}, "hashed_value_of_app")
	m.WatchSessions(func() int { return 1 }, func() int { return 2 })
	m.UpdateCertificates(map[model.Ref]*model.Certificate{{Namespace: "shop", Name: "tls"}: {
		Pair: &tls.Certificate{Leaf: &x509.Certificate{NotAfter: time.Unix(1800000000, 0)}}}})
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	families = slices.DeleteFunc(families, func(f *dto.MetricFamily) bool { return !strings.HasPrefix(f.GetName(), "limpet_") })
	if described := countDescribed(m); len(families) != described {
		t.Errorf("%d of %d metrics have a series: this test must create one for each", len(families), described)
	}
	return families
}

// The names and help texts follow the conventions of Prometheus.
func TestMetrics_promlint(t *testing.T) {
	problems, err := promlint.NewWithMetricFamilies(metrics(t)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func countDescribed(m *observe.Metrics) int {
	all := make(chan *prometheus.Desc)
	go func() {
		m.Gatherer().(*prometheus.Registry).Describe(all)
		close(all)
	}()
	n := 0
	for d := range all {
		if strings.Contains(d.String(), `fqName: "limpet_`) {
			n++
		}
	}
	return n
}

func labelsOf(family *dto.MetricFamily) string {
	var names []string
	for _, label := range family.GetMetric()[0].GetLabel() {
		names = append(names, "`"+label.GetName()+"`")
	}
	return strings.Join(names, ", ")
}

func TestStoreEvents_areDocumented(t *testing.T) {
	text := readPage(t, "docs/reference/metrics.md").text
	for e := range store.Events {
		if !strings.Contains(text, "`"+store.Event(e).String()+"`") {
			t.Errorf("docs/reference/metrics.md does not have the event %s", store.Event(e))
		}
	}
}

func TestGlossary_outcomesAndReasons(t *testing.T) {
	text := readPage(t, "docs/glossary.md").text
	var words []string
	for o := range affinity.NumOutcomes {
		words = append(words, affinity.Outcome(o).String())
	}
	for r := 1; r < affinity.NumReasons; r++ {
		words = append(words, affinity.Reason(r).String())
	}
	for _, word := range words {
		if !strings.Contains(text, "\n| `"+word+"` |") {
			t.Errorf("docs/glossary.md does not have %q", word)
		}
	}
}
