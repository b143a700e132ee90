package schema

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/config/crd"
)

// object is a policy with these fields of its spec, and no others.
func object(spec map[string]any) map[string]any {
	return map[string]any{"apiVersion": "limpet.dev/v1alpha1", "kind": "AffinityPolicy", "spec": spec}
}

func valid() map[string]any {
	return map[string]any{
		"targetRefs": []any{map[string]any{"kind": "Service", "name": "cart"}},
		"methods":    []any{map[string]any{"source": "SourceIP", "binding": "Hashed", "sourceIP": map[string]any{}}},
	}
}

func compiled(t *testing.T) *Schema {
	t.Helper()
	s, err := New(crd.AffinityPolicy)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAdmit_setsDefaultsDropsStatus(t *testing.T) {
	o := object(valid())
	o["status"] = map[string]any{"targets": []any{}}
	if errs := compiled(t).Admit(t.Context(), o); len(errs) > 0 {
		t.Fatal(errs)
	}
	if _, there := o["status"]; there {
		t.Error("status was not dropped")
	}
	spec := o["spec"].(map[string]any)
	if spec["identity"] != "Pod" || spec["unavailable"].(map[string]any)["status"] != int64(503) {
		t.Errorf("defaults of spec are missing: %v", spec)
	}
	method := spec["methods"].([]any)[0].(map[string]any)
	if method["sourceIP"].(map[string]any)["ipv6PrefixLength"] != int64(64) {
		t.Errorf("defaults below a list are missing: %v", method)
	}
}

func TestAdmit_typesBeforeRules(t *testing.T) {
	spec := valid()
	spec["methods"] = []any{map[string]any{"source": "Nowhere", "binding": int64(1)}}
	errs := compiled(t).Admit(t.Context(), object(spec))
	if len(errs) == 0 {
		t.Fatal("accepted")
	}
	for _, err := range errs {
		if strings.Contains(err.Error(), "no such key") || strings.Contains(err.Error(), "evaluating rule") {
			t.Errorf("a rule was evaluated despite wrong types: %v", err)
		}
	}
}

func TestAdmit_unknownFields(t *testing.T) {
	spec := valid()
	spec["one"], spec["drain"] = true, map[string]any{"two": true}
	errs := compiled(t).Admit(t.Context(), object(spec))
	if len(errs) != 2 || errs[0].Field != "spec.drain.two" || errs[1].Field != "spec.one" {
		t.Errorf("got %v", errs)
	}
}

func TestNew_invalidDefinition(t *testing.T) {
	for name, text := range map[string]string{
		"invalid YAML":   "a: b: c",
		"unknown fields": "kind: CustomResourceDefinition\nspecs: {}\n",
		"no versions":    "kind: CustomResourceDefinition\nspec: {versions: []}\n",
		"two versions":   strings.Replace(string(crd.AffinityPolicy), "  versions:\n", "  versions:\n  - {name: v1, served: true, storage: false}\n", 1),
	} {
		if s, err := New([]byte(text)); s != nil || err == nil {
			t.Errorf("%s: got %v, %v", name, s, err)
		}
	}
}
