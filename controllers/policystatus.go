package controllers

import (
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// policyStatus is the status of a policy whose table is being served. A condition that has the same status as before
// keeps its transition time.
func policyStatus(report *translate.Report, old *v1alpha1.AffinityPolicyStatus) *v1alpha1.AffinityPolicyStatus {
	status := &v1alpha1.AffinityPolicyStatus{}
	for i := range report.Targets {
		target := report.Targets[i].DeepCopy()
		target.Conditions = append(target.Conditions, programmed(target.Conditions))
		target.Conditions = carryOver(report.Generation, oldConditions(old, target.TargetRef), target.Conditions)
		status.Targets = append(status.Targets, *target)
	}
	status.Conditions = carryOver(report.Generation, old.Conditions, v1alpha1.Summarize(status.Targets))
	return status
}

// programmed says whether a policy is applied to a target, which follows from the other conditions: they were decided
// by the translation that is being served.
func programmed(others []metav1.Condition) metav1.Condition {
	for _, good := range []struct {
		condition string
		status    metav1.ConditionStatus
	}{
		{v1alpha1.ConditionAccepted, metav1.ConditionTrue},
		{v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue},
		{v1alpha1.ConditionConflicted, metav1.ConditionFalse},
	} {
		if !meta.IsStatusConditionPresentAndEqual(others, good.condition, good.status) {
			return metav1.Condition{
				Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotApplied,
				Message: "not applied: see the condition " + good.condition,
			}
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProgrammed,
		Message: "being served",
	}
}

// carryOver gives conditions their generation and their transition times.
func carryOver(generation int64, old, conditions []metav1.Condition) []metav1.Condition {
	out := append([]metav1.Condition(nil), old...)
	for _, c := range conditions {
		c.ObservedGeneration = generation
		meta.SetStatusCondition(&out, c)
	}
	kept := make([]metav1.Condition, 0, len(conditions))
	for _, c := range conditions {
		kept = append(kept, *meta.FindStatusCondition(out, c.Type))
	}
	return kept
}

func oldConditions(old *v1alpha1.AffinityPolicyStatus, ref v1alpha1.TargetRef) []metav1.Condition {
	for i := range old.Targets {
		if old.Targets[i].TargetRef == ref {
			return old.Targets[i].Conditions
		}
	}
	return nil
}

// equalStatus takes an empty list for the same as none, as the API server does.
func equalStatus(a, b *v1alpha1.AffinityPolicyStatus) bool { return equality.Semantic.DeepEqual(a, b) }
