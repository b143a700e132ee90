package v1alpha1_test

import (
	"encoding/json"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	k8sjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/config/crd"
	"github.com/limpet-dev/limpet/pkg/manifest/schema"
	"github.com/limpet-dev/limpet/test/schemacases"
)

func policy(t *testing.T, spec json.RawMessage) map[string]any {
	t.Helper()
	object := map[string]any{}
	if err := k8sjson.Unmarshal(spec, &object); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"apiVersion": "limpet.dev/v1alpha1", "kind": "AffinityPolicy", "spec": object}
}

func TestSchema_cases(t *testing.T) {
	s, err := schema.New(crd.AffinityPolicy)
	if err != nil {
		t.Fatal(err)
	}
	schemacases.Run(t, readCases(t), func(t *testing.T, spec json.RawMessage) error {
		return s.Admit(t.Context(), policy(t, spec)).ToAggregate()
	})
}

func readCases(t *testing.T) []schemacases.Case {
	t.Helper()
	return schemacases.Read(t, "testdata/cel")
}

func TestSchema_everyRuleHasCases(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range readCases(t) {
		seen[c.Want+" "+c.Message] = true
	}
	rules := ruleMessages(definition(t).Spec.Versions[0].Schema.OpenAPIV3Schema)
	if len(rules) < 30 {
		t.Fatalf("the schema has %d rules: want at least 30", len(rules))
	}
	for message := range rules {
		for _, want := range []string{"accepted ", "refused "} {
			if !seen[want+message] {
				t.Errorf("no %scase of the rule %q", want, message)
			}
		}
	}
}

// The API server rejects a definition with rules that do not compile or exceed the cost budget.
func TestCRD_isValid(t *testing.T) {
	def := definition(t)
	apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(def)
	def.Status.StoredVersions = []string{"v1alpha1"}
	var internal apiextensions.CustomResourceDefinition
	err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(def, &internal, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validation.ValidateCustomResourceDefinition(t.Context(), &internal).ToAggregate(); err != nil {
		t.Error(err)
	}
}

func definition(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	var def apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(crd.AffinityPolicy, &def); err != nil {
		t.Fatal(err)
	}
	return &def
}

// ruleMessages collects the messages of all rules below a schema. Rules are identified by message: the rule on
// targetRef appears in both spec and status.
func ruleMessages(s *apiextensionsv1.JSONSchemaProps) map[string]bool {
	out := map[string]bool{}
	for _, rule := range s.XValidations {
		out[rule.Message] = true
	}
	for _, property := range s.Properties {
		for message := range ruleMessages(&property) {
			out[message] = true
		}
	}
	if s.Items != nil && s.Items.Schema != nil {
		for message := range ruleMessages(s.Items.Schema) {
			out[message] = true
		}
	}
	return out
}
