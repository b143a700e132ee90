package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/config/crd"
)

// test/docs applies the examples. This test checks that every field has one.
func TestExamples_coverEveryField(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs/reference/affinitypolicy.md"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)<!-- test: manifests -->\n```yaml\n(.*?)```").FindAllSubmatch(page, -1) {
		var policy struct{ Spec any }
		if err := yaml.Unmarshal(block[1], &policy); err != nil {
			t.Fatalf("%v in the example\n%s", err, block[1])
		}
		collectFields(used, "spec", policy.Spec)
	}
	for _, field := range specFields(t) {
		if !used[field] {
			t.Errorf("no example sets %s", field)
		}
	}
}

// collectFields records the path of every field that a value sets, with [] for list elements.
func collectFields(into map[string]bool, path string, value any) {
	into[path] = true
	switch v := value.(type) {
	case map[string]any:
		for name, field := range v {
			collectFields(into, path+"."+name, field)
		}
	case []any:
		for _, entry := range v {
			collectFields(into, path+"[]", entry)
		}
	}
}

// specFields returns the paths of all fields below spec in the CustomResourceDefinition.
func specFields(t *testing.T) []string {
	t.Helper()
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(crd.AffinityPolicy, &definition); err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	collectSchema(fields, "spec", definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
	return slices.SortedFunc(maps.Keys(fields), strings.Compare)
}

func collectSchema(into map[string]bool, path string, schema apiextensionsv1.JSONSchemaProps) {
	into[path] = true
	for name, field := range schema.Properties {
		collectSchema(into, path+"."+name, field)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		collectSchema(into, path+"[]", *schema.Items.Schema)
	}
}
