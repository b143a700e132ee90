package rules

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
)

const day = 86400 // seconds

// replicas returns the series of a metric for two replicas, with one sequence of values for each.
func replicas(name, matchers string, one, two string) string {
	out := ""
	for pod, values := range map[string]string{"limpet-a": one, "limpet-b": two} {
		out += fmt.Sprintf("  %s{namespace=%q, job=%q, pod=%q, %s} %s\n", name, "limpet-system", "limpet", pod, matchers, values)
	}
	return out
}

const decisions, requests, failures = "limpet_affinity_decisions_total", "limpet_requests_total", "limpet_upstream_failures_total"

// ofCart returns the series of a counter of the pool shop/cart:80 that grows by a number each minute, on two replicas.
func ofCart(name, matchers string, perMinute int) string {
	values := fmt.Sprintf("0+%dx180", perMinute)
	return replicas(name, `pool="shop/cart:80", `+matchers, values, values)
}

const removal = "limpet_pool_last_removal_timestamp_seconds"

// scenarios have series of three hours with one sample per minute, and the alerts that fire, each with its minute and
// the labels that not all alerts have. They start at the epoch, so time() is their age.
var scenarios = []struct {
	name, series string
	want         []string
}{
	{"nothing is scraped", "", []string{`LimpetDown 10`}},
	{"healthy", replicas("limpet_table_digest", "", "5x180", "5x180") +
		replicas("limpet_problems", `reason="EmptyRule"`, "0x180", "0x180") +
		replicas("limpet_session_store_up", "", "1x180", "1x180") + ofCart(decisions, `outcome="hit"`, 600) +
		ofCart(decisions, `outcome="moved", reason="gone"`, 1) + ofCart(requests, `code="2xx"`, 600) +
		ofCart(requests, `code="503"`, 1) +
		replicas("limpet_certificate_expiry_timestamp_seconds", `secret="shop/tls"`, "8640000x180", "8640000x180") +
		replicas("limpet_memory_used_bytes", "", "80x180", "80x180") +
		replicas("limpet_memory_budget_bytes", "", "100x180", "0x180"), nil},
	{"sessions move", ofCart(decisions, `outcome="hit"`, 80) + ofCart(decisions, `outcome="moved", reason="failed"`, 20),
		[]string{`LimpetSessionsMoved 16 pool="shop/cart:80"`}},
	{"sessions move after a rollout", ofCart(decisions, `outcome="hit"`, 80) +
		ofCart(decisions, `outcome="moved", reason="gone"`, 20) +
		replicas(removal, `pool="shop/cart:80"`, "_x10 600x170", "_x180"), []string{`LimpetSessionsMoved 85 pool="shop/cart:80"`}},
	{"sessions move in another pool than the rollout", ofCart(decisions, `outcome="hit"`, 80) +
		ofCart(decisions, `outcome="moved", reason="gone"`, 20) + replicas(removal, `pool="shop/stock:80"`, "0+60x180", "0+60x180"),
		[]string{`LimpetSessionsMoved 16 pool="shop/cart:80"`}},
	{"sessions are rebalanced", ofCart(decisions, `outcome="hit"`, 50) +
		ofCart(decisions, `outcome="moved", reason="rebalanced"`, 50), nil},
	{"skew", replicas("limpet_endpoint_sessions_max", `pool="shop/cart:80"`, "301x180", "200x180") +
		replicas("limpet_endpoint_sessions_mean", `pool="shop/cart:80"`, "100x180", "150x180"),
		[]string{`LimpetSessionSkew 30 pool="shop/cart:80"`}},
	{"skew of few sessions", replicas("limpet_endpoint_sessions_max", `pool="shop/cart:80"`, "90x180", "3x180") +
		replicas("limpet_endpoint_sessions_mean", `pool="shop/cart:80"`, "10x180", "0x180"), nil},
	{"tables differ", replicas("limpet_table_digest", "", "281474976710655x180", "281474976710654x180"),
		[]string{`LimpetReplicasDiverge 15`}},
	{"tables differ for a moment", replicas("limpet_table_digest", "", "5x10 6x170", "5x20 6x160"), nil},
	{"certificates differ",
		replicas("limpet_certificate_expiry_timestamp_seconds", `secret="shop/tls"`, "8640000x180", "8640001x180"),
		[]string{`LimpetReplicasDiverge 15 secret="shop/tls"`}},
	{"problems", replicas("limpet_problems", `reason="EmptyRule"`, "0x10 2x170", "0x10 2x170"),
		[]string{`LimpetProblems 26 reason="EmptyRule"`}},
	{"ConfigMap missing", replicas("limpet_problems", `reason="ConfigMapNotFound"`, "0x10 1x170", "0x10 1x170"),
		[]string{`LimpetConfigMapMissing 16`}},
	{"definition is older", replicas("limpet_crd_missing_fields", "", "0x10 3x170", "0x10 3x170"),
		[]string{`LimpetDefinitionOutdated 26`}},
	{"certificate expires", replicas("limpet_certificate_expiry_timestamp_seconds", `secret="shop/tls"`,
		fmt.Sprintf("%dx180", 14*day+600), fmt.Sprintf("%dx180", 14*day+600)),
		[]string{`LimpetCertificateExpiry 71 secret="shop/tls", severity="warning"`}},
	{"certificate is about to expire", replicas("limpet_certificate_expiry_timestamp_seconds", `secret="shop/tls"`,
		fmt.Sprintf("%dx180", 3*day), fmt.Sprintf("%dx180", 3*day)),
		[]string{`LimpetCertificateExpiry 11 secret="shop/tls", severity="critical"`,
			`LimpetCertificateExpiry 60 secret="shop/tls", severity="warning"`}},
	{"error responses", ofCart(requests, `code="2xx"`, 90) + ofCart(requests, `code="502"`, 5) +
		ofCart(requests, `code="5xx"`, 5),
		[]string{`LimpetErrorResponses 11 pool="shop/cart:80"`}},
	{"failures", ofCart(requests, `code="2xx"`, 100) + ofCart(failures, `reason="reset"`, 10) +
		ofCart(failures, `reason="closed"`, 1),
		[]string{`LimpetUpstreamFailures 11 pool="shop/cart:80", reason="reset"`}},
	{"no endpoints", ofCart(requests, `code="2xx"`, 1000) + ofCart(failures, `reason="no_endpoints"`, 1),
		[]string{`LimpetNoEndpoints 6 pool="shop/cart:80"`}},
	{"slow propagation", replicas("limpet_propagation_seconds_bucket", `path="table", le="5"`, "0+0x180", "0+0x180") +
		replicas("limpet_propagation_seconds_bucket", `path="table", le="10"`, "0+1x180", "0+1x180") +
		replicas("limpet_propagation_seconds_bucket", `path="table", le="+Inf"`, "0+1x180", "0+1x180"),
		[]string{`LimpetPropagationSlow 16 path="table"`}},
	{"no changes to propagate", replicas("limpet_propagation_seconds_bucket", `path="table", le="+Inf"`, "7x180", "7x180"), nil},
	{"memory near budget", replicas("limpet_memory_used_bytes", "", "95x180", "5x180") +
		replicas("limpet_memory_budget_bytes", "", "100x180", "100x180"),
		[]string{`LimpetMemoryNearBudget 5 pod="limpet-a"`}},
	{"memory refused", replicas("limpet_memory_refused_total", "", "0+1x180", "0x180"),
		[]string{`LimpetMemoryNearBudget 6 pod="limpet-a"`}},
	{"store down", replicas("limpet_session_store_up", "", "1x180", "1x10 0x170"),
		[]string{`LimpetSessionStoreDown 16 pod="limpet-b"`}},
}

// isAlive is the series that keeps LimpetDown from firing.
const isAlive = `  limpet_build_info{namespace="limpet-system", job="limpet", pod="limpet-a"} 1x180` + "\n"

func TestAlerts_fire(t *testing.T) {
	all, fired := alerts(t), map[string]bool{}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			series := s.series
			if series != "" {
				series += isAlive
			}
			got := run(t, all, series)
			slices.Sort(got)
			if !slices.Equal(got, s.want) {
				t.Errorf("fired:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(s.want, "\n"))
			}
		})
		for _, want := range s.want {
			name, _, _ := strings.Cut(want, " ")
			fired[name] = true
		}
	}
	for _, a := range all {
		if !fired[a.Alert] {
			t.Errorf("no scenario makes %s fire", a.Alert)
		}
	}
}

// run evaluates the alerts every minute, and returns those that fire: the name, the first minute, and the labels.
func run(t *testing.T, all []rulefmt.Rule, series string) (fired []string) {
	t.Helper()
	storage := promqltest.LoadedStorage(t, "load 1m\n"+series)
	query := rules.EngineQueryFunc(promqltest.NewTestEngine(t, false, 5*time.Minute, 1e6), storage)
	for _, a := range all {
		expr, err := expressions.ParseExpr(a.Expr)
		if err != nil {
			t.Fatal(err)
		}
		rule := rules.NewAlertingRule(a.Alert, expr, time.Duration(a.For), 0, labels.FromMap(a.Labels), labels.FromMap(a.Annotations),
			labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
		seen := map[string]bool{}
		for minute := range 180 {
			at := time.Unix(0, 0).Add(time.Duration(minute) * time.Minute)
			if _, err := rule.Eval(t.Context(), 0, at, query, &url.URL{}, 0); err != nil {
				t.Fatal(err)
			}
			for _, active := range rule.ActiveAlerts() {
				text := describe(active)
				if active.State == rules.StateFiring && !seen[text] {
					seen[text] = true
					fired = append(fired, strings.TrimSpace(fmt.Sprintf("%s %d %s", a.Alert, minute, text)))
					checkAnnotations(t, active)
				}
			}
		}
	}
	return fired
}

// describe returns the labels of an alert that differ from those that all have. Only LimpetCertificateExpiry has two severities.
func describe(a *rules.Alert) string {
	var out []string
	a.Labels.Range(func(l labels.Label) {
		switch l.Name {
		case "alertname", "namespace", "job":
		case "severity":
			if a.Labels.Get("alertname") == "LimpetCertificateExpiry" {
				out = append(out, fmt.Sprintf("%s=%q", l.Name, l.Value))
			}
		default:
			out = append(out, fmt.Sprintf("%s=%q", l.Name, l.Value))
		}
	})
	return strings.Join(out, ", ")
}

// checkAnnotations fails if a template of an annotation has an error, or lacks a label.
func checkAnnotations(t *testing.T, a *rules.Alert) {
	t.Helper()
	a.Annotations.Range(func(l labels.Label) {
		bad := strings.Contains(l.Value, "error expanding") || strings.Contains(l.Value, "no value") || strings.Contains(l.Value, "  ")
		if bad || l.Value == "" {
			t.Errorf("%s: the annotation %s is %q", a.Labels.Get("alertname"), l.Name, l.Value)
		}
	})
}
