package chart

import (
	"slices"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
)

// In shadow, RBAC allows no write but the creation of the key Secret.
func TestChart_shadowMayNotWrite(t *testing.T) {
	objects, complaint := template(t, "-f", "testdata/restricted/shadow.yaml")
	if complaint != "" {
		t.Fatal(complaint)
	}
	pods, _ := podTemplate(t, objects)
	if args := pods.Spec.Containers[0].Args; !slices.Contains(args, "--shadow") {
		t.Errorf("the flags are %q", args)
	}
	var writes []string
	for _, o := range objects {
		var rules []rbacv1.PolicyRule
		switch role := o.(type) {
		case *rbacv1.ClusterRole:
			rules = role.Rules
		case *rbacv1.Role:
			rules = role.Rules
		}
		for _, rule := range rules {
			for _, verb := range rule.Verbs {
				if verb != "list" && verb != "watch" {
					writes = append(writes, verb+" "+rule.Resources[0]+" in "+o.GetNamespace())
				}
			}
		}
	}
	if !slices.Equal(writes, []string{"create secrets in edge-system"}) {
		t.Errorf("RBAC allows %q", writes)
	}
}
