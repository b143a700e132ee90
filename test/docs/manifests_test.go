package docs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// problemsOf translates manifests together with those objects of testdata that they do not define. It returns the
// reasons of all problems.
func problemsOf(t *testing.T, text string) []string {
	t.Helper()
	snapshot, skipped, err := manifest.Read("block", []byte(text))
	if err != nil || len(skipped) > 0 {
		t.Fatalf("%v %v", err, skipped)
	}
	addShop(t, snapshot)
	var reasons []string
	for _, report := range translate.Build(snapshot, nil, translate.Options{TakeUnclassed: true}).Reports {
		for _, p := range report.Problems {
			t.Logf("%s: %s: %s: %s", report.Ref, p.Field, p.Reason, p.Message)
			reasons = append(reasons, p.Reason)
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

func addShop(t *testing.T, snapshot *translate.Snapshot) {
	t.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shop, _, err := manifest.Read("shop.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range snapshot.Services {
		if s.Name == shop.Services[0].Name {
			return
		}
	}
	snapshot.Services = append(snapshot.Services, shop.Services...)
	snapshot.EndpointSlices = append(snapshot.EndpointSlices, shop.EndpointSlices...)
	snapshot.Pods = append(snapshot.Pods, shop.Pods...)
	snapshot.Secrets = append(snapshot.Secrets, shop.Secrets...)
}

func checkManifests(t *testing.T, text string, want []string) {
	t.Helper()
	slices.Sort(want)
	if got := problemsOf(t, text); !slices.Equal(got, want) {
		t.Errorf("problems %v, want %v", got, want)
	}
}

// policyWith returns a policy with the given part of its spec, which must be indented.
func policyWith(part string) string {
	methods := ""
	if !strings.Contains(part, "methods:") {
		methods = "  methods: [{source: Cookie, binding: Issued}]\n"
	}
	return `apiVersion: limpet.dev/v1alpha1
kind: AffinityPolicy
metadata:
  name: sample
  namespace: default
spec:
  targetRefs: [{kind: Service, name: cart}]
` + methods + part
}
