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

const firstInstallation = "limpet.dev/" + home + "/" + defaultLeaseName

// startSecond runs another installation, in the namespace of the test, which serves the Ingresses of class "second".
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

// ofSecond makes an Ingress one of the second installation.
func ofSecond(in *networkingv1.Ingress) *networkingv1.Ingress {
	in.Spec.IngressClassName = ptr.To("second")
	return in
}

// onIngress gives a policy one more target.
func onIngress(p *v1alpha1.AffinityPolicy, name string) *v1alpha1.AffinityPolicy {
	p.Spec.TargetRefs = append(p.Spec.TargetRefs,
		v1alpha1.TargetRef{Group: "networking.k8s.io", Kind: "Ingress", Name: name})
	return p
}

// said is the status of a condition by target and controller.
func said(t *testing.T, p *v1alpha1.AffinityPolicy, kind string) map[string]metav1.ConditionStatus {
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

// cart is named by Ingresses of both, each of the other two targets is for one.
func TestInstallationsReportOnWhatTheyServeAndLeaveEachOtherAlone(t *testing.T) {
	ns := leaveNoTrace(t)
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
		got := said(t, p, v1alpha1.ConditionProgrammed)
		for key, status := range want {
			if got[key] != status {
				return false
			}
		}
		return len(got) == len(want)
	}
	eventually(t, "both have said what they do", saysAll)
	settled := get(t, p).ResourceVersion
	for _, name := range []string{"one", "another"} { // both writers go through all objects for each of these
		poke := policy(ns, name, "nowhere")
		create(t, poke)
		eventually(t, "both have seen it", func() bool { return len(said(t, poke, v1alpha1.ConditionResolvedRefs)) == 2 })
	}
	if get(t, p).ResourceVersion != settled || !saysAll() {
		t.Errorf("the status was written again: %v", said(t, p, v1alpha1.ConditionProgrammed))
	}
	if !meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionProgrammed) {
		t.Errorf("the summary is %+v", p.Status.Conditions)
	}
}

func TestAnInstallationTakesBackWhatIsNotItsOwnAnyMore(t *testing.T) {
	ns := leaveNoTrace(t)
	p, in := onIngress(policy(ns, "cart", "cart"), "cart"), ingress(ns, "cart")
	create(t, service(ns, "cart"), in, p)
	startReplica(t, "first")
	eventually(t, "the first reports", func() bool { return len(said(t, p, v1alpha1.ConditionProgrammed)) == 2 })
	second := startSecond(t, ns)
	change(t, in, func(in *networkingv1.Ingress) { ofSecond(in) })
	eventually(t, "the second reports, and the first does not", func() bool {
		got := said(t, p, v1alpha1.ConditionProgrammed)
		return len(got) == 2 && got["Service cart by "+second] == "True" && got["Ingress cart by "+second] == "True"
	})
	change(t, p, func(p *v1alpha1.AffinityPolicy) { p.Spec.TargetRefs = p.Spec.TargetRefs[:1] })
	eventually(t, "what is said of a target that the policy has not is gone", func() bool {
		return len(get(t, p).Status.Targets) == 1 && len(said(t, p, v1alpha1.ConditionProgrammed)) == 1
	})
}

// A controller that is no more has left an entry.
func TestTheSummaryIsAboutTheNewestGeneration(t *testing.T) {
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
		t.Errorf("the status is %+v", status)
	}
}
