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
	world, skipped, err := manifest.Read("block", []byte(text))
	if err != nil || len(skipped) > 0 {
		t.Fatalf("%v %v", err, skipped)
	}
	addShop(t, world)
	var reasons []string
	for _, report := range translate.Build(world, nil, translate.Options{TakeUnclassed: true}).Reports {
		for _, p := range report.Problems {
			t.Logf("%s: %s: %s: %s", report.Ref, p.Field, p.Reason, p.Message)
			reasons = append(reasons, p.Reason)
		}
	}
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

func addShop(t *testing.T, world *translate.World) {
	t.Helper()
	text, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shop, _, err := manifest.Read("shop.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range world.Services {
		if s.Name == shop.Services[0].Name {
			return
		}
	}
	world.Services = append(world.Services, shop.Services...)
	world.EndpointSlices = append(world.EndpointSlices, shop.EndpointSlices...)
	world.Pods = append(world.Pods, shop.Pods...)
	world.Secrets = append(world.Secrets, shop.Secrets...)
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
