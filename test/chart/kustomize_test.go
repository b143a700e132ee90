package chart

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/test/programs"
)

func kustomize(t *testing.T, dir string) []client.Object {
	t.Helper()
	out, errs, err := command(t, programs.Kubectl.Path(), "kustomize", dir)
	if err != nil {
		t.Fatalf("kubectl kustomize %s: %v\n%s", dir, err, errs)
	}
	return decode(t, []byte(out))
}

// asInConfig renders the chart like config/: as release limpet in limpet-system.
func asInConfig(t *testing.T) []client.Object {
	t.Helper()
	out, errs, err := helm(t, "template", "limpet", chartDir, "--namespace", "limpet-system", "--kube-version", oldest)
	if err != nil {
		t.Fatal(errs)
	}
	return decode(t, []byte(out))
}

func TestKustomize_isValid(t *testing.T) {
	namespace(t, "limpet-system", "restricted")
	for _, dir := range []string{"../../config", "../../config/samples", "../../config/pod-deletion-cost"} {
		for _, o := range kustomize(t, dir) {
			err := cluster.Create(t.Context(), o, client.DryRunAll)
			switch o.(type) {
			case *corev1.Namespace, *apiextensionsv1.CustomResourceDefinition:
				err = client.IgnoreAlreadyExists(err)
			}
			if err != nil {
				t.Errorf("%s: %T %s: %v", dir, o, o.GetName(), err)
			}
		}
	}
}

func TestKustomize_podsMatchChart(t *testing.T) {
	namespace(t, "limpet-system", "restricted")
	ours, charts := runningPod(t, kustomize(t, "../../config")), runningPod(t, asInConfig(t))
	if diff := cmp.Diff(ours, charts); diff != "" {
		t.Errorf("pods of config/ (-) and of the chart (+) differ:\n%s", diff)
	}
}

// runningPod returns the pod template with the defaults of the API server, without what may differ: config/ sets
// fewer flags and uses one label.
func runningPod(t *testing.T, objects []client.Object) *corev1.PodSpec {
	t.Helper()
	deployment := find[*appsv1.Deployment](t, objects).DeepCopy()
	if err := cluster.Create(t.Context(), deployment, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	spec := &deployment.Spec.Template.Spec
	spec.Containers[0].Args = nil
	for i := range spec.TopologySpreadConstraints {
		spec.TopologySpreadConstraints[i].LabelSelector = nil
	}
	return spec
}

func TestKustomize_rolesMatchChart(t *testing.T) {
	ours, charts := rights(t, kustomize(t, "../../config")), rights(t, asInConfig(t))
	if diff := cmp.Diff(ours, charts); diff != "" {
		t.Errorf("permissions of config/ (-) and of the chart (+) differ:\n%s", diff)
	}
}

// rights returns the rules of each kind of role, and checks that the roles are bound to the ServiceAccount.
func rights(t *testing.T, objects []client.Object) map[string][]rbacv1.PolicyRule {
	t.Helper()
	role, clusterRole := find[*rbacv1.Role](t, objects), find[*rbacv1.ClusterRole](t, objects)
	binding, clusterBinding := find[*rbacv1.RoleBinding](t, objects), find[*rbacv1.ClusterRoleBinding](t, objects)
	pods, _ := podTemplate(t, objects)
	account := rbacv1.Subject{Kind: "ServiceAccount", Name: pods.Spec.ServiceAccountName, Namespace: "limpet-system"}
	for _, bound := range []bool{
		binding.RoleRef.Name == role.Name, clusterBinding.RoleRef.Name == clusterRole.Name,
		len(binding.Subjects) == 1 && binding.Subjects[0] == account,
		len(clusterBinding.Subjects) == 1 && clusterBinding.Subjects[0] == account,
	} {
		if !bound {
			t.Errorf("%s: the roles are not bound to the account of the pods", account.Name)
		}
	}
	return map[string][]rbacv1.PolicyRule{"in its namespace": role.Rules, "in the cluster": clusterRole.Rules}
}
