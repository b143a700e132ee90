package controllers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

func TestThePoliciesOfTheSchemaCasesAreAcceptedAndRefused(t *testing.T) {
	files, err := filepath.Glob("../api/v1alpha1/testdata/cel/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []struct {
			Name, Want, Message string
			Spec                json.RawMessage
		}
		if err := yaml.Unmarshal(text, &cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, c := range cases {
			t.Run(filepath.Base(file)+"/"+c.Name, func(t *testing.T) {
				err := dryRun(t, c.Spec)
				switch {
				case c.Want == "accepted" && err != nil:
					t.Errorf("refused: %v", err)
				case c.Want == "refused" && err == nil:
					t.Errorf("accepted, want refusal with %q", c.Message)
				case c.Want == "refused" && !strings.Contains(err.Error(), c.Message):
					t.Errorf("refused with %q, want %q", err, c.Message)
				}
			})
		}
	}
}

// dryRun asks for unknown fields to be refused, as kubectl does.
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

func TestTheManifestsAreAcceptedWithoutAnUnknownField(t *testing.T) {
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
