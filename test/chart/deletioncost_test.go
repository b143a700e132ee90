package chart

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/test/wait"
)

const deletionCost = "podDeletionCost.enabled=true"

// patchesPods returns the kinds and namespaces of the roles that may patch pods.
func patchesPods(objects []client.Object) (out []string) {
	for _, o := range objects {
		switch o := o.(type) {
		case *rbacv1.ClusterRole:
			if strings.Contains(strings.Join(permissions(o.Rules), " "), "/pods patch") {
				out = append(out, "ClusterRole "+o.Name)
			}
		case *rbacv1.Role:
			if strings.Contains(strings.Join(permissions(o.Rules), " "), "/pods patch") {
				out = append(out, "Role "+o.Namespace+"/"+o.Name)
			}
		}
	}
	return out
}

func TestDeletionCost_permissions(t *testing.T) {
	for _, c := range []struct {
		set  string
		want []string
	}{
		{"podDeletionCost.enabled=false", nil},
		{deletionCost, []string{"ClusterRole edge-system-edge-limpet-pod-deletion-cost"}},
		{deletionCost + ",watchNamespaces={shop,blog}", []string{
			"Role blog/edge-system-edge-limpet-pod-deletion-cost", "Role shop/edge-system-edge-limpet-pod-deletion-cost",
		}},
		{deletionCost + ",rbac.create=false", nil},
		{"shadow=true," + deletionCost, nil},
	} {
		objects, complaint := template(t, "--set", c.set)
		if complaint != "" {
			t.Fatal(complaint)
		}
		if diff := cmp.Diff(c.want, patchesPods(objects)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.set, diff)
		}
		pods, _ := podTemplate(t, objects)
		isFlag := strings.Contains(strings.Join(pods.Spec.Containers[0].Args, " "), "--pod-deletion-cost")
		if want := strings.HasPrefix(c.set, deletionCost); isFlag != want {
			t.Errorf("%s: flag %v", c.set, isFlag)
		}
	}
}

func TestDeletionCost_needsService(t *testing.T) {
	for _, set := range []string{"publishAddresses={203.0.113.1}", "service.enabled=false"} {
		if _, complaint := template(t, "--set", deletionCost+","+set); !strings.Contains(complaint, "podDeletionCost.enabled needs") {
			t.Errorf("%s: complaint %q", set, complaint)
		}
	}
}

// RBAC allows Limpet to patch all of a pod, and the policy all but the annotation forbids.
func TestDeletionCost_onAPIServer(t *testing.T) {
	objects, complaint := template(t, "--set", deletionCost)
	if complaint != "" {
		t.Fatal(complaint)
	}
	account := "system:serviceaccount:" + find[*corev1.ServiceAccount](t, objects).Namespace + ":edge-limpet"
	for _, o := range objects {
		switch o.(type) {
		case *rbacv1.ClusterRole, *rbacv1.ClusterRoleBinding, *admissionv1.ValidatingAdmissionPolicy,
			*admissionv1.ValidatingAdmissionPolicyBinding:
			if err := cluster.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = cluster.Delete(t.Context(), o) })
		}
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: "costly", Labels: map[string]string{"app": "cart"}, Annotations: map[string]string{"team": "shop"},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app"}}},
	}
	if err := cluster.Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Delete(t.Context(), pod) })
	patch := func(user, change string) error {
		config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		config.Impersonate.UserName = user
		c, err := client.New(config, client.Options{Scheme: scheme})
		if err != nil {
			t.Fatal(err)
		}
		return c.Patch(t.Context(), pod.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(change)), client.DryRunAll)
	}
	image := `{"spec":{"containers":[{"name":"app","image":"evil"}]}}`
	wait.Until(t, "the policy applies", func() bool {
		err := patch(account, image)
		return err != nil && strings.Contains(err.Error(), "Limpet may only change the annotation")
	})
	for _, change := range []string{
		`{"metadata":{"labels":{"app":"other"}}}`, `{"metadata":{"annotations":{"team":"other"}}}`, `{"metadata":{"annotations":{"team":null}}}`,
		`{"metadata":{"annotations":{"other":"x"}}}`, `{"metadata":{"finalizers":["limpet.dev/x"]}}`,
	} {
		if err := patch(account, change); err == nil || !strings.Contains(err.Error(), "Limpet may only change the annotation") {
			t.Errorf("%s: %v, want a rejection", change, err)
		}
	}
	if err := patch(account, `{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"7"}}}`); err != nil {
		t.Errorf("the annotation: %v", err)
	}
	if err := patch("", image); err != nil {
		t.Errorf("another user: %v", err)
	}
}
