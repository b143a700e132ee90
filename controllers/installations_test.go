package controllers

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

const firstInstallation = "limpet.dev/" + limpetNamespace + "/" + defaultLeaseName

// startSecond runs a second installation in namespace ns, which serves the Ingresses of class "second". It returns
// the controller name of that installation.
func startSecond(t *testing.T, ns string) (name string) {
	t.Helper()
	r := newReplica("second")
	r.publisher.options = translate.Options{Classes: []string{"second"}}
	r.start(t, func(o *Options) {
		o.Namespace = ns
		o.Config.Impersonate = rest.ImpersonationConfig{}
	})
	return "limpet.dev/" + ns + "/" + defaultLeaseName
}

// ofSecond assigns an Ingress to the second installation.
func ofSecond(in *networkingv1.Ingress) *networkingv1.Ingress {
	in.Spec.IngressClassName = ptr.To("second")
	return in
}

// onIngress adds an Ingress to the targets of a policy.
func onIngress(p *v1alpha1.AffinityPolicy, name string) *v1alpha1.AffinityPolicy {
	p.Spec.TargetRefs = append(p.Spec.TargetRefs,
		v1alpha1.TargetRef{Group: "networking.k8s.io", Kind: "Ingress", Name: name})
	return p
}

// conditionByTarget returns the status of a condition by target and controller.
func conditionByTarget(t *testing.T, p *v1alpha1.AffinityPolicy, kind string) map[string]metav1.ConditionStatus {
	t.Helper()
	out := map[string]metav1.ConditionStatus{}
	now := get(t, p)
	for _, target := range now.Status.Targets {
		c := meta.FindStatusCondition(target.Conditions, kind)
		if c == nil || c.ObservedGeneration != now.Generation {
			continue
		}
		out[target.TargetRef.Kind+" "+target.TargetRef.Name+" by "+target.ControllerName] = c.Status
	}
	return out
}

// Ingresses of both installations route to cart. Each of the other two targets belongs to one installation.
func TestPolicyStatus_twoInstallations(t *testing.T) {
	ns := newNamespace(t)
	p := onIngress(onIngress(policy(ns, "both", "cart"), "first"), "second")
	theirs := ofSecond(ingress(ns, "second"))
	theirs.Spec.DefaultBackend = &networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: "cart", Port: networkingv1.ServiceBackendPort{Number: 80}}}
	create(t, service(ns, "cart"), service(ns, "first"), service(ns, "second"),
		ingress(ns, "cart"), ingress(ns, "first"), theirs, p)
	startReplica(t, "first")
	second := startSecond(t, ns)
	want := map[string]metav1.ConditionStatus{
		"Service cart by " + firstInstallation: "True", "Ingress first by " + firstInstallation: "True",
		"Service cart by " + second: "True", "Ingress second by " + second: "True",
	}
	saysAll := func() bool {
		got := conditionByTarget(t, p, v1alpha1.ConditionProgrammed)
		for key, status := range want {
			if got[key] != status {
				return false
			}
		}
		return len(got) == len(want)
	}
	eventually(t, "the entries of both", saysAll)
	before := get(t, p).ResourceVersion
	for _, name := range []string{"one", "another"} { // makes both writers check all objects
		other := policy(ns, name, "nowhere")
		create(t, other)
		eventually(t, "the entries of both for the new policy", func() bool {
			return len(conditionByTarget(t, other, v1alpha1.ConditionResolvedRefs)) == 2
		})
	}
	if get(t, p).ResourceVersion != before || !saysAll() {
		t.Errorf("the status was rewritten: %v", conditionByTarget(t, p, v1alpha1.ConditionProgrammed))
	}
	if !meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionProgrammed) {
		t.Errorf("conditions = %+v", p.Status.Conditions)
	}
}

func TestPolicyStatus_removesOwnEntries(t *testing.T) {
	ns := newNamespace(t)
	p, in := onIngress(policy(ns, "cart", "cart"), "cart"), ingress(ns, "cart")
	create(t, service(ns, "cart"), in, p)
	startReplica(t, "first")
	eventually(t, "the entries of the first", func() bool { return len(conditionByTarget(t, p, v1alpha1.ConditionProgrammed)) == 2 })
	second := startSecond(t, ns)
	change(t, in, func(in *networkingv1.Ingress) { ofSecond(in) })
	eventually(t, "the entries of the second only", func() bool {
		got := conditionByTarget(t, p, v1alpha1.ConditionProgrammed)
		return len(got) == 2 && got["Service cart by "+second] == "True" && got["Ingress cart by "+second] == "True"
	})
	change(t, p, func(p *v1alpha1.AffinityPolicy) { p.Spec.TargetRefs = p.Spec.TargetRefs[:1] })
	eventually(t, "the entry of the removed target to be deleted", func() bool {
		return len(get(t, p).Status.Targets) == 1 && len(conditionByTarget(t, p, v1alpha1.ConditionProgrammed)) == 1
	})
}

// An uninstalled controller left an entry behind.
func TestPolicyStatus_ignoresOldGenerations(t *testing.T) {
	left := v1alpha1.TargetStatus{
		TargetRef: v1alpha1.TargetRef{Kind: "Service", Name: "cart"}, ControllerName: "limpet.dev/gone/limpet-leader",
		Conditions: []metav1.Condition{
			{Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionFalse, Reason: "NotApplied", ObservedGeneration: 1},
		},
	}
	p := policy("shop", "cart", "cart")
	p.Status.Targets = []v1alpha1.TargetStatus{left}
	report := &translate.Report{Generation: 2, Targets: []v1alpha1.TargetStatus{{TargetRef: left.TargetRef,
		Conditions: []metav1.Condition{
			{Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionTrue, Reason: "Accepted"},
			{Type: v1alpha1.ConditionResolvedRefs, Status: metav1.ConditionTrue, Reason: "ResolvedRefs"},
			{Type: v1alpha1.ConditionConflicted, Status: metav1.ConditionFalse, Reason: "NoConflict"},
		}}}}
	status := policyStatus(report, p, firstInstallation)
	if len(status.Targets) != 2 || !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionProgrammed) {
		t.Errorf("status = %+v", status)
	}
}
