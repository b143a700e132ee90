package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

// namespace creates a namespace that enforces a Pod Security Standard.
func namespace(t *testing.T, name, standard string) {
	t.Helper()
	err := cluster.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": standard},
	}})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

func TestChart_variantsAreValid(t *testing.T) {
	namespace(t, "edge-system", "restricted")
	eachVariant(t, func(t *testing.T, _ variant, objects []client.Object) {
		for _, o := range objects {
			if o.GetObjectKind().GroupVersionKind().GroupVersion() == monitoring {
				continue // the API of the operator is not installed; its objects were decoded strictly
			}
			if _, isPod := o.(*corev1.Pod); isPod {
				o.SetNamespace("edge-system")
			}
			if err := cluster.Create(t.Context(), o, client.DryRunAll); err != nil {
				t.Errorf("%T %s: %v", o, o.GetName(), err)
			}
		}
	})
}

func TestChart_podSecurityStandards(t *testing.T) {
	namespace(t, "edge-system", "restricted")
	namespace(t, "edge-on-nodes", "privileged")
	eachVariant(t, func(t *testing.T, v variant, objects []client.Object) {
		template, _ := podTemplate(t, objects)
		pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
		pod.Name, pod.Namespace = "limpet-0", "edge-system"
		err := cluster.Create(t.Context(), pod.DeepCopy(), client.DryRunAll)
		if v.restricted && err != nil {
			t.Errorf("rejected in a restricted namespace: %v", err)
		}
		if !v.restricted {
			if !apierrors.IsForbidden(err) {
				t.Errorf("accepted in a restricted namespace: %v", err)
			}
			pod.Namespace = "edge-on-nodes"
			if err := cluster.Create(t.Context(), pod, client.DryRunAll); err != nil {
				t.Errorf("rejected in a privileged namespace: %v", err)
			}
		}
	})
}

func TestChart_capabilities(t *testing.T) {
	eachVariant(t, func(t *testing.T, _ variant, objects []client.Object) {
		template, _ := podTemplate(t, objects)
		container := template.Spec.Containers[0]
		want := "[]"
		for _, port := range container.Ports {
			if port.ContainerPort < 1024 {
				want = "[NET_BIND_SERVICE]"
			}
		}
		security := container.SecurityContext
		if fmt.Sprint(security.Capabilities.Drop) != "[ALL]" || fmt.Sprint(security.Capabilities.Add) != want {
			t.Errorf("capabilities = %+v, want ALL dropped and %s added", security.Capabilities, want)
		}
		if !*security.ReadOnlyRootFilesystem || *security.AllowPrivilegeEscalation {
			t.Errorf("securityContext = %+v", security)
		}
	})
}

func TestChart_severalReleases(t *testing.T) {
	install := func(release, ns string, args ...string) (string, error) {
		args = append([]string{"install", release, chartDir, "--namespace", ns, "--create-namespace"}, args...)
		_, errs, err := helm(t, args...)
		return errs, err
	}
	for _, r := range []struct{ release, namespace, class string }{
		{"limpet", "one", "limpet"},
		{"limpet", "two", "internal"}, // same name, other namespace
		{"second", "one", "second"},   // other name, same namespace
	} {
		if errs, err := install(r.release, r.namespace, "--set", "ingressClass.name="+r.class); err != nil {
			t.Fatalf("release %s in %s: %v\n%s", r.release, r.namespace, err, errs)
		}
	}
	if errs, err := install("limpet", "three"); err == nil || !strings.Contains(errs, `IngressClass "limpet"`) {
		t.Errorf("second release with class limpet: error %v, want one that names the class\n%s", err, errs)
	}
	checkOwnNames(t, "one", "limpet", "second-limpet")
	if _, errs, err := helm(t, "upgrade", "limpet", chartDir, "--namespace", "one", "--set", "replicas=5"); err != nil {
		t.Errorf("upgrade: %v\n%s", err, errs)
	}
	if _, errs, err := helm(t, "uninstall", "limpet", "--namespace", "one"); err != nil {
		t.Errorf("uninstall: %v\n%s", err, errs)
	}
	if err := cluster.List(t.Context(), new(v1alpha1.AffinityPolicyList)); err != nil {
		t.Errorf("uninstall deleted the policies: %v", err)
	}
	if _, errs, err := helm(t, "status", "second", "--namespace", "one"); err != nil {
		t.Errorf("uninstall removed the other release: %v\n%s", err, errs)
	}
}

// checkOwnNames checks that releases in one namespace use different leases and key Secrets.
func checkOwnNames(t *testing.T, ns string, releases ...string) {
	t.Helper()
	owner := map[string]string{}
	for _, name := range releases {
		args := installedArgs(t, ns, name)
		for _, flag := range []string{"--leader-lease", "--affinity-secret", "--publish-service"} {
			v := flag + "=" + value(args, flag)
			if other, taken := owner[v]; taken {
				t.Errorf("%s and %s both have %s", other, name, v)
			}
			owner[v] = name
		}
	}
}

func installedArgs(t *testing.T, ns, name string) []string {
	t.Helper()
	deployment := new(appsv1.Deployment)
	if err := cluster.Get(t.Context(), types.NamespacedName{Namespace: ns, Name: name}, deployment); err != nil {
		t.Fatal(err)
	}
	return deployment.Spec.Template.Spec.Containers[0].Args
}

func TestChart_generatedFiles(t *testing.T) {
	for _, pair := range [][2]string{
		{"../../config/crd/bases/limpet.dev_affinitypolicies.yaml", "crds/limpet.dev_affinitypolicies.yaml"},
		{"../../config/rbac/role.yaml", "files/role.yaml"},
	} {
		want, err := os.ReadFile(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(chartDir, pair[1]))
		if err != nil || string(got) != string(want) {
			t.Errorf("charts/limpet/%s differs from %s (%v): run make generate", pair[1], pair[0], err)
		}
	}
}
