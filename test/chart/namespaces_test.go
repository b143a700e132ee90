package chart

import (
	"slices"
	"strings"
	"sync"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/test/wait"
)

// With watchNamespaces, the chart grants in these namespaces what it otherwise grants in the cluster, and nothing elsewhere.
func TestChart_watchNamespaces(t *testing.T) {
	whole, complaint := template(t)
	if complaint != "" {
		t.Fatal(complaint)
	}
	objects, complaint := template(t, "--values", "testdata/restricted/namespaces.yaml")
	if complaint != "" {
		t.Fatal(complaint)
	}
	granted := map[string][]string{}
	for _, o := range objects {
		switch role := o.(type) {
		case *rbacv1.ClusterRole, *rbacv1.ClusterRoleBinding:
			t.Errorf("there is a %T", o)
		case *rbacv1.Role:
			granted[role.Namespace] = append(granted[role.Namespace], permissions(role.Rules)...)
		case *rbacv1.RoleBinding:
			if s := role.Subjects; len(s) != 1 || s[0].Namespace != "edge-system" {
				t.Errorf("subjects %v", s)
			}
		}
	}
	var served, own []string
	for _, p := range permissions(find[*rbacv1.ClusterRole](t, whole).Rules) {
		switch {
		case strings.Contains(p, "/namespaces ") || strings.Contains(p, "/ingressclasses "):
			continue
		case !strings.HasPrefix(p, "networking.k8s.io/") && !strings.HasPrefix(p, "limpet.dev/"):
			own = append(own, p)
		}
		served = append(served, p)
	}
	own = append(own, permissions(find[*rbacv1.Role](t, whole).Rules)...)
	for namespace, want := range map[string][]string{"default": served, "kube-public": served, "edge-system": own} {
		got := granted[namespace]
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("namespace %s: %q, want %q", namespace, got, want)
		}
	}
	if len(granted) != 3 {
		t.Errorf("roles in %d namespaces", len(granted))
	}
	pods, _ := podTemplate(t, objects)
	if got := value(pods.Spec.Containers[0].Args, "--watch-namespace"); got != "default,kube-public" {
		t.Errorf("--watch-namespace=%s", got)
	}
}

// permissions returns "group/resource verb" for each permission.
func permissions(rules []rbacv1.PolicyRule) (out []string) {
	for _, rule := range rules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				out = append(out, rule.APIGroups[0]+"/"+resource+" "+verb)
			}
		}
	}
	return out
}

// warnings records the warnings of the API server.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

func (w *warnings) HandleWarningHeader(_ int, _ string, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

func (w *warnings) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.texts) == 0 {
		return ""
	}
	return w.texts[len(w.texts)-1]
}

// annotated returns an Ingress with an annotation of Limpet.
func annotated(name, key string) *networkingv1.Ingress {
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: map[string]string{"limpet.dev/" + key: "1"}},
		Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "a", Port: networkingv1.ServiceBackendPort{Number: 80}},
		}},
	}
}

func TestAnnotationPolicy_onAPIServer(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config = rest.CopyConfig(config)
	said := &warnings{}
	config.WarningHandler = said
	user, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	old := annotated("old", "before")
	if err := user.Create(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = user.Delete(t.Context(), old) })
	var binding *admissionv1.ValidatingAdmissionPolicyBinding
	install := func(action string) {
		objects, complaint := template(t, "--set", "annotationPolicy.enabled=true,annotationPolicy.action="+action)
		if complaint != "" {
			t.Fatal(complaint)
		}
		policy := find[*admissionv1.ValidatingAdmissionPolicy](t, objects)
		binding = find[*admissionv1.ValidatingAdmissionPolicyBinding](t, objects)
		for _, o := range []client.Object{policy, binding} {
			_ = user.Delete(t.Context(), o.DeepCopyObject().(client.Object))
			if err := user.Create(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = user.Delete(t.Context(), o) })
		}
	}
	install("Warn")
	wait.Until(t, "an unknown annotation gets a warning", func() bool {
		return user.Create(t.Context(), annotated("a", "afinity"), client.DryRunAll) == nil && strings.Contains(said.last(), "limpet.dev/afinity")
	})
	install("Deny")
	denied := func(o client.Object, key string) func() bool {
		return func() bool {
			err := user.Create(t.Context(), o.DeepCopyObject().(client.Object), client.DryRunAll)
			return err != nil && strings.Contains(err.Error(), "unknown annotations have no effect: limpet.dev/"+key)
		}
	}
	wait.Until(t, "an unknown annotation is denied", denied(annotated("a", "afinity"), "afinity"))
	if err := user.Create(t.Context(), annotated("a", "affinity"), client.DryRunAll); err != nil {
		t.Errorf("a known annotation: %v", err)
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "a", Annotations: map[string]string{"limpet.dev/affinity": "cookie"}},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}
	if !denied(service, "affinity")() {
		t.Error("a Service with an annotation is accepted")
	}
	service.Annotations = nil
	if err := user.Create(t.Context(), service, client.DryRunAll); err != nil {
		t.Errorf("a Service without annotations: %v", err)
	}
	if err := user.Get(t.Context(), client.ObjectKeyFromObject(old), old); err != nil {
		t.Fatal(err)
	}
	old.Spec.IngressClassName = ptr.To("limpet") // the annotation was there before
	if err := user.Update(t.Context(), old, client.DryRunAll); err != nil {
		t.Errorf("another change of an object with an unknown annotation: %v", err)
	}
	old.Annotations["limpet.dev/afinity"] = "1"
	if err := user.Update(t.Context(), old, client.DryRunAll); err == nil {
		t.Error("an unknown annotation is added to an object")
	}
}
