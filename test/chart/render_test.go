package chart

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/test/programs"
)

func TestChart_lint(t *testing.T) {
	for _, v := range variants(t) {
		out, errs, err := helm(t, "lint", "--strict", chartDir, "--values", v.file, "--kube-version", oldest)
		if err != nil || strings.Contains(out, "[WARNING]") {
			t.Errorf("%s: %v\n%s%s", v.name, err, out, errs)
		}
	}
}

func TestChart_objectNames(t *testing.T) {
	eachVariant(t, func(t *testing.T, v variant, objects []client.Object) {
		seen := map[string]bool{}
		for _, o := range objects {
			kind := o.GetObjectKind().GroupVersionKind().Kind
			if want := namespaceOf(kind); o.GetNamespace() != want && !isAboutSecrets(o) && !isWatched(o, v) {
				t.Errorf("%s %s is in namespace %q, want %q", kind, o.GetName(), o.GetNamespace(), want)
			}
			name := kind + " " + o.GetNamespace() + "/" + o.GetName()
			if seen[name] {
				t.Errorf("duplicate %s", name)
			}
			seen[name] = true
			if o.GetLabels()["app.kubernetes.io/instance"] != "edge" {
				t.Errorf("%s %s has no labels of the release: %v", kind, o.GetName(), o.GetLabels())
			}
		}
	})
}

// isAboutSecrets reports whether a Role or RoleBinding grants access to Secrets of a namespace.
func isAboutSecrets(o client.Object) bool { return strings.HasSuffix(o.GetName(), "-secrets") }

// isWatched reports whether a Role or RoleBinding is for one of the namespaces that a variant watches.
func isWatched(o client.Object, v variant) bool {
	return v.name == "namespaces" && slices.Contains([]string{"default", "kube-public"}, o.GetNamespace())
}

func TestChart_secretNamespaces(t *testing.T) {
	for file, want := range map[string][]string{
		"default":     {"cluster"},
		"no-secrets":  {"edge-system"},
		"few-secrets": {"default", "edge-system", "kube-public", "kube-system"},
	} {
		objects, complaint := template(t, "-f", "testdata/restricted/"+file+".yaml")
		if complaint != "" {
			t.Fatalf("%s: %s", file, complaint)
		}
		var got []string
		for _, o := range objects {
			switch role := o.(type) {
			case *rbacv1.ClusterRole:
				if readsSecrets(role.Rules) {
					got = append(got, "cluster")
				}
			case *rbacv1.Role:
				if readsSecrets(role.Rules) {
					got = append(got, role.Namespace)
				}
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: access to Secrets of %v, want %v", file, got, want)
		}
		pods, _ := podTemplate(t, objects)
		told := value(pods.Spec.Containers[0].Args, "--secret-namespaces")
		if file != "default" && told != strings.Join(want, ",") || file == "default" && told != "" {
			t.Errorf("%s: flags %q", file, told)
		}
	}
}

func readsSecrets(rules []rbacv1.PolicyRule) bool {
	return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool {
		return slices.Contains(r.Resources, "secrets") && slices.Contains(r.Verbs, "list")
	})
}

func namespaceOf(kind string) string {
	switch kind {
	case "ClusterRole", "ClusterRoleBinding", "IngressClass", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding":
		return ""
	}
	return "edge-system"
}

func TestChart_podSelectors(t *testing.T) {
	eachVariant(t, func(t *testing.T, _ variant, objects []client.Object) {
		template, selector := podTemplate(t, objects)
		selectors := map[string]*metav1.LabelSelector{"what runs them": selector}
		for _, o := range objects {
			for name, s := range selectorsOf(o) {
				selectors[fmt.Sprintf("%T %s%s", o, o.GetName(), name)] = s
			}
		}
		for name, s := range selectors {
			if !matches(t, s, template.Labels) {
				t.Errorf("%s selects %v, but the pods have %v", name, s.MatchLabels, template.Labels)
			}
			if test := find[*corev1.Pod](t, objects); test != nil && matches(t, s, test.Labels) {
				t.Errorf("%s selects the test pod too", name)
			}
		}
	})
}

func selectorsOf(o client.Object) map[string]*metav1.LabelSelector {
	switch o := o.(type) {
	case *corev1.Service:
		return map[string]*metav1.LabelSelector{"": {MatchLabels: o.Spec.Selector}}
	case *policyv1.PodDisruptionBudget:
		return map[string]*metav1.LabelSelector{"": o.Spec.Selector}
	case *networkingv1.NetworkPolicy:
		return map[string]*metav1.LabelSelector{"": &o.Spec.PodSelector}
	case *PodMonitor:
		return map[string]*metav1.LabelSelector{"": &o.Spec.Selector}
	case *appsv1.Deployment:
		all := map[string]*metav1.LabelSelector{}
		for i, spread := range o.Spec.Template.Spec.TopologySpreadConstraints {
			all[fmt.Sprintf(", spread %d", i)] = spread.LabelSelector
		}
		return all
	}
	return nil
}

func matches(t *testing.T, s *metav1.LabelSelector, set labels.Set) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return selector.Matches(set) && !selector.Empty()
}

// podTemplate returns the pod template of the Deployment or DaemonSet.
func podTemplate(t *testing.T, objects []client.Object) (*corev1.PodTemplateSpec, *metav1.LabelSelector) {
	t.Helper()
	deployment, daemons := find[*appsv1.Deployment](t, objects), find[*appsv1.DaemonSet](t, objects)
	switch {
	case deployment != nil && daemons == nil:
		return &deployment.Spec.Template, deployment.Spec.Selector
	case deployment == nil && daemons != nil:
		return &daemons.Spec.Template, daemons.Spec.Selector
	}
	t.Fatal("found neither Deployment nor DaemonSet")
	return nil, nil
}

func TestChart_ports(t *testing.T) {
	eachVariant(t, func(t *testing.T, _ variant, objects []client.Object) {
		pods, _ := podTemplate(t, objects)
		container := pods.Spec.Containers[0]
		var have []string
		for _, port := range container.Ports {
			have = append(have, port.Name)
		}
		want := []string{container.LivenessProbe.HTTPGet.Port.StrVal, container.ReadinessProbe.HTTPGet.Port.StrVal}
		for _, o := range objects {
			switch o := o.(type) {
			case *corev1.Service:
				for _, port := range o.Spec.Ports {
					want = append(want, port.TargetPort.StrVal)
				}
			case *networkingv1.NetworkPolicy:
				for _, rule := range o.Spec.Ingress {
					for _, port := range rule.Ports {
						want = append(want, port.Port.StrVal)
					}
				}
			case *PodMonitor:
				want = append(want, o.Spec.PodMetricsEndpoints[0].Port)
			case *ServiceMonitor:
				want = append(want, o.Spec.Endpoints[0].Port)
			}
		}
		for _, name := range want {
			if !slices.Contains(have, name) {
				t.Errorf("port %q is referenced, but the pods have %v", name, have)
			}
		}
	})
}

func TestChart_flagsAreAccepted(t *testing.T) {
	const nowhere = "/does/not/exist"
	eachVariant(t, func(t *testing.T, _ variant, objects []client.Object) {
		pods, _ := podTemplate(t, objects)
		container := pods.Spec.Containers[0]
		// With valid flags, the first error of limpet is the missing cluster.
		_, errs, err := command(t, programs.Limpet.Path(), append(container.Args, "--kubeconfig="+nowhere)...)
		if err == nil || !strings.Contains(errs, nowhere) {
			t.Errorf("limpet %v: %v\n%s", container.Args, err, errs)
		}
		service := find[*corev1.Service](t, objectsNamed(objects, value(container.Args, "--publish-service")))
		if value(container.Args, "--publish-service") != "" && service == nil {
			t.Errorf("the published Service does not exist: %v", container.Args)
		}
		if scaler := find[*autoscalingv2.HorizontalPodAutoscaler](t, objects); scaler != nil &&
			find[*appsv1.Deployment](t, objects).Name != scaler.Spec.ScaleTargetRef.Name {
			t.Errorf("the autoscaler references %s", scaler.Spec.ScaleTargetRef.Name)
		}
	})
}

// value returns the value of a flag, or "" if it is not set.
func value(args []string, flag string) string {
	for _, arg := range args {
		if v, ok := strings.CutPrefix(arg, flag+"="); ok {
			return v
		}
	}
	return ""
}

func objectsNamed(objects []client.Object, namespaceAndName string) []client.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o client.Object) bool {
		return o.GetNamespace()+"/"+o.GetName() != namespaceAndName
	})
}

func TestChart_terminationGracePeriod(t *testing.T) {
	eachVariant(t, func(t *testing.T, _ variant, objects []client.Object) {
		pods, _ := podTemplate(t, objects)
		args := pods.Spec.Containers[0].Args
		need := duration(t, value(args, "--stop-delay")) + duration(t, value(args, "--stop-timeout"))
		given := time.Duration(*pods.Spec.TerminationGracePeriodSeconds) * time.Second
		if given <= need {
			t.Errorf("terminationGracePeriod is %v, but Limpet may need %v", given, need)
		}
	})
}

func duration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
