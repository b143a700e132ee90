package controllers

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/test/schemacases"
)

func TestSchema_casesOnAPIServer(t *testing.T) {
	schemacases.Run(t, schemacases.Read(t, "../api/v1alpha1/testdata/cel"), dryRun)
}

// dryRun creates a policy in dry-run mode with strict field validation, like kubectl.
func dryRun(t *testing.T, spec json.RawMessage) error {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.Kind))
	object.SetNamespace("default")
	object.SetName("case")
	var fields map[string]any
	if err := json.Unmarshal(spec, &fields); err != nil {
		t.Fatal(err)
	}
	object.Object["spec"] = fields
	return admin.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict"))
}

func TestManifests_areValid(t *testing.T) {
	for _, file := range []string{
		"manager/ingress_class.yaml", "manager/service.yaml", "manager/deployment.yaml",
		"samples/ingress.yaml", "samples/affinity_policy.yaml",
	} {
		objects, err := readManifest(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects {
			if err := admin.Create(t.Context(), object, client.DryRunAll, client.FieldValidation("Strict")); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}
