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

func TestThePagesAreUpToDate(t *testing.T) {
	pages, err := render(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(root, "docs/reference", name))
		if err != nil || string(got) != string(want) {
			t.Errorf("docs/reference/%s is stale (%v): run make generate", name, err)
		}
	}
}

// samples give each field of spec, apart from methods and targets, a value that is not neutral: as YAML below spec, with
// the fields that it needs beside it.
var samples = map[string]string{
	"absoluteTimeout":                   "absoluteTimeout: 1h",
	"idleTimeout":                       "idleTimeout: 1h",
	"newSession.pick":                   "newSession: {pick: RoundRobin}",
	"newSession.slowStart":              "newSession: {slowStart: 30s}",
	"newSession.maxSessionsPerEndpoint": "newSession: {maxSessionsPerEndpoint: 10}",
	"newSession.overflow":               "newSession: {overflow: Refuse, maxSessionsPerEndpoint: 10}",
	"newSession.preferZone":             "newSession: {preferZone: true}",
	"drain.keepSessions":                "drain: {keepSessions: false}",
	"drain.timeout":                     "drain: {timeout: 1m}",
	"unavailable.action":                "unavailable: {action: Wait, wait: 1s}",
	"unavailable.status":                "unavailable: {action: Fail, status: 410}",
	"unavailable.retryAfter":            "unavailable: {action: Fail, retryAfter: 1m}",
	"unavailable.wait":                  "unavailable: {action: Wait, wait: 5s}",
	"rebalance.mode":                    "rebalance: {mode: OnIdle, afterIdle: 1m}",
	"rebalance.afterIdle":               "rebalance: {mode: OnIdle, afterIdle: 5m}",
	"rebalance.maxPerMinute":            "rebalance: {mode: OnIdle, afterIdle: 5m, maxPerMinute: 3}",
	"hash.balanceFactor":                "hash: {balanceFactor: 125}",
	"stickyBudget.balanceFactor":        "stickyBudget: {balanceFactor: 200}",
	"stickyBudget.minRequests":          "stickyBudget: {minRequests: 20}",
	"identity":                          "identity: PodName",
	"group":                             "group: web",
	"split.sticky":                      "split: {sticky: true}",
	"adopt":                             "adopt: [IngressNginx]",
	"movedHeader":                       "movedHeader: X-Moved",
	"exempt.methods":                    "exempt: {methods: [OPTIONS]}",
	"exempt.paths":                      "exempt: {paths: [/static]}",
	"exempt.userAgents":                 "exempt: {userAgents: [bot]}",
}

func TestWhatIsMarkedAsNotYetIsRefusedAndEverythingElseIsNot(t *testing.T) {
	for _, field := range leaves(t) {
		sample, ok := samples[field]
		if !ok {
			t.Errorf("spec.%s is new: give it a sample, and a mark in support.go if it does not work yet", field)
			continue
		}
		_, marked := notYet[field]
		reason, err := accepted(t, "methods: [{source: Cookie, binding: Issued}]\n"+sample)
		if err != nil {
			t.Errorf("%s: the sample is refused by the API: %v", field, err)
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
			t.Errorf("support.go marks %s, which is no field", field)
		}
	}
}

// leaves are the fields below spec that are no objects, apart from methods and targets.
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

// details are what a method needs beside its source and binding.
var details = map[string]string{
	"Cookie": "cookie: {name: id}", "Header": "header: {name: X-Id}", "QueryParam": "queryParam: {name: id}",
	"PathSegment": "pathSegment: {index: 1}", "SourceIP": "sourceIP: {ipv4PrefixLength: 24}",
}

func TestTheTableOfMethodsIsTrue(t *testing.T) {
	for _, source := range []string{"Cookie", "Header", "QueryParam", "PathSegment", "SourceIP"} {
		for _, binding := range []string{"Issued", "Hashed", "Learned", "Wrapped", "Named"} {
			m := method{source, binding}
			reason, err := accepted(t, fmt.Sprintf("methods: [{source: %s, binding: %s, %s}]", source, binding, details[source]))
			if got := err != nil; got != slices.Contains(impossible, m) {
				t.Errorf("%s/%s: refused by the API: %v, but support.go says %s", source, binding, err, status(m))
			}
			if got := reason == v1alpha1.ReasonAccepted; got != slices.Contains(works, m) {
				t.Errorf("%s/%s: %s, but support.go says %s", source, binding, reason, status(m))
			}
		}
	}
}

// accepted gives the reason of the condition Accepted of a policy with this spec, or why the API refuses it.
func accepted(t *testing.T, spec string) (reason string, err error) {
	t.Helper()
	world, _, err := manifest.Read("policy.yaml", []byte(`apiVersion: limpet.dev/v1alpha1
kind: AffinityPolicy
metadata:
  name: sample
spec:
  targetRefs: [{kind: Service, name: cart}]
  `+strings.ReplaceAll(spec, "\n", "\n  ")+"\n"))
	if err != nil {
		return "", err
	}
	report := translate.Build(world, nil, translate.Options{}).Reports[0]
	return meta.FindStatusCondition(report.Targets[0].Conditions, v1alpha1.ConditionAccepted).Reason, nil
}
