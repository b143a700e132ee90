package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/translate"
)

const root = "../.."

func TestPages_upToDate(t *testing.T) {
	pages, err := render(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(root, "docs", name))
		if err != nil || string(got) != string(want) {
			t.Errorf("docs/%s is stale (%v): run make generate", name, err)
		}
	}
}

// samples has YAML for each field of spec, except methods and targets, that sets the field to a non-default value.
var samples = map[string]string{
	"learned.from":                          "learned: {from: [{source: Cookie, cookie: {name: sid}}]}",
	"absoluteTimeout":                       "absoluteTimeout: 1h",
	"idleTimeout":                           "idleTimeout: 1h",
	"newSession.pick":                       "newSession: {pick: RoundRobin}",
	"newSession.slowStart":                  "newSession: {slowStart: 30s}",
	"newSession.maxSessionsPerEndpoint":     "newSession: {maxSessionsPerEndpoint: 10}",
	"newSession.overflow":                   "newSession: {overflow: Refuse, maxSessionsPerEndpoint: 10}",
	"newSession.refuse.status":              "newSession: {overflow: Refuse, maxSessionsPerEndpoint: 10, refuse: {status: 429}}",
	"newSession.refuse.retryAfter":          "newSession: {overflow: Refuse, maxSessionsPerEndpoint: 10, refuse: {retryAfter: 10s}}",
	"newSession.refuse":                     "newSession: {overflow: Refuse, maxSessionsPerEndpoint: 10, refuse: {status: 429}}",
	"newSession.preferZone":                 "newSession: {preferZone: true}",
	"drain.keepSessions":                    "drain: {keepSessions: false}",
	"drain.timeout":                         "drain: {timeout: 1m}",
	"drain.handoff":                         "drain: {handoff: {afterIdle: 3s}}",
	"unavailable.action":                    "unavailable: {action: Wait, wait: 1s}",
	"unavailable.status":                    "unavailable: {action: Fail, status: 410}",
	"unavailable.retryAfter":                "unavailable: {action: Fail, retryAfter: 1m}",
	"unavailable.wait":                      "unavailable: {action: Wait, wait: 5s}",
	"unavailable.notReady":                  "unavailable: {notReady: Lend}",
	"circuitBreaker":                        "circuitBreaker: {maxRequests: 100}",
	"circuitBreaker.maxRequests":            "circuitBreaker: {maxRequests: 100}",
	"circuitBreaker.maxRequestsPerEndpoint": "circuitBreaker: {maxRequestsPerEndpoint: 10}",
	"ejection":                              "ejection: {}",
	"ejection.failures":                     "ejection: {failures: 0}",
	"ejection.events":                       "ejection: {events: [Reset]}",
	"ejection.statuses":                     "ejection: {statuses: [503]}",
	"ejection.backoff":                      "ejection: {backoff: 5s}",
	"ejection.maxBackoff":                   "ejection: {maxBackoff: 1m}",
	"ejection.maxPercent":                   "ejection: {maxPercent: 30}",
	"rebalance.mode":                        "rebalance: {mode: OnIdle, afterIdle: 1m}",
	"rebalance.afterIdle":                   "rebalance: {mode: OnIdle, afterIdle: 5m}",
	"rebalance.maxPerMinute":                "rebalance: {mode: OnIdle, afterIdle: 5m, maxPerMinute: 3}",
	"hash.balanceFactor":                    "hash: {balanceFactor: 125}",
	"stickyBudget.balanceFactor":            "stickyBudget: {balanceFactor: 200}",
	"stickyBudget.minRequests":              "stickyBudget: {minRequests: 20}",
	"identity":                              "identity: PodName",
	"group":                                 "group: web",
	"split.sticky":                          "split: {sticky: true}",
	"adopt":                                 "adopt: [IngressNginx]",
	"movedHeader":                           "movedHeader: X-Moved",
	"exempt.methods":                        "exempt: {methods: [OPTIONS]}",
	"exempt.paths":                          "exempt: {paths: [/static]}",
	"exempt.userAgents":                     "exempt: {userAgents: [bot]}",
}

// The methods that fields need.
const (
	issued  = "{source: Cookie, binding: Issued}"
	learned = "{source: Header, binding: Learned, header: {name: X-Id}}"
)

func TestSupport_fields(t *testing.T) {
	for _, field := range leaves(t) {
		sample, ok := samples[field]
		if !ok {
			t.Errorf("spec.%s is new: add a sample, and mark it in support.go if it is not supported", field)
			continue
		}
		_, marked := notYet[field]
		reason, err := accepted(t, "methods: ["+issued+", "+learned+"]\n"+sample)
		if err != nil {
			t.Errorf("%s: the API rejects the sample: %v", field, err)
		}
		want := v1alpha1.ReasonAccepted
		if marked {
			want = v1alpha1.ReasonUnsupported
		}
		if reason != want {
			t.Errorf("%s: %s, but support.go says %s", field, reason, want)
		}
	}
	for field := range notYet {
		if samples[field] == "" {
			t.Errorf("support.go marks %s, which is not a field", field)
		}
	}
}

// leaves returns the fields below spec that are not objects, except methods and targets.
func leaves(t *testing.T) []string {
	t.Helper()
	spec, err := readSpec(filepath.Join(root, "config/crd/bases/limpet.dev_affinitypolicies.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for name, field := range spec.Properties {
		if name == "methods" || name == "targetRefs" {
			continue
		}
		if len(field.Properties) == 0 {
			out = append(out, name)
		}
		for below := range field.Properties {
			out = append(out, name+"."+below)
		}
	}
	return out
}

// details has the additional fields that each source needs.
var details = map[string]string{
	"Cookie": "cookie: {name: id}", "Header": "header: {name: X-Id}", "QueryParam": "queryParam: {name: id}",
	"PathSegment": "pathSegment: {index: 1}", "SourceIP": "sourceIP: {ipv4PrefixLength: 24}",
	"Composite": "composite: {parts: [{source: Host}]}",
}

func TestSupport_methods(t *testing.T) {
	for _, source := range []string{"Cookie", "Header", "QueryParam", "PathSegment", "SourceIP", "Composite"} {
		for _, binding := range []string{"Issued", "Hashed", "Learned", "Wrapped", "Named"} {
			m := method{source, binding}
			reason, err := accepted(t, fmt.Sprintf("methods: [{source: %s, binding: %s, %s}]", source, binding, details[source]))
			if got := err != nil; got != slices.Contains(impossible, m) {
				t.Errorf("%s/%s: API error %v, but support.go says %s", source, binding, err, status(m))
			}
			if got := reason == v1alpha1.ReasonAccepted; got != slices.Contains(works, m) {
				t.Errorf("%s/%s: %s, but support.go says %s", source, binding, reason, status(m))
			}
		}
	}
}

// accepted returns the reason of the condition Accepted for a policy with this spec, or the error of the API.
func accepted(t *testing.T, spec string) (reason string, err error) {
	t.Helper()
	snapshot, _, err := manifest.Read("policy.yaml", []byte(`apiVersion: limpet.dev/v1alpha1
kind: AffinityPolicy
metadata:
  name: sample
spec:
  targetRefs: [{kind: Service, name: cart}]
  `+strings.ReplaceAll(spec, "\n", "\n  ")+"\n"))
	if err != nil {
		return "", err
	}
	report := translate.Build(snapshot, nil, translate.Options{}).Reports[0]
	return meta.FindStatusCondition(report.Targets[0].Conditions, v1alpha1.ConditionAccepted).Reason, nil
}
