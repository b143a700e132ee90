package controllers

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// maxTargets is what the schema of the status allows.
const maxTargets = 64

// policyStatus is the status of a policy whose table is being served by a controller. A condition that has the same
// status as before keeps its transition time. What other controllers say about targets that the policy still has stays,
// in an order that all of them agree on, or else each would put its own.
func policyStatus(
	report *translate.Report, policy *v1alpha1.AffinityPolicy, controller string,
) *v1alpha1.AffinityPolicyStatus {
	own, old := ownTargets(report, &policy.Status, controller), &policy.Status
	status := &v1alpha1.AffinityPolicyStatus{}
	for _, ref := range policy.Spec.TargetRefs {
		said := saidBy(old.Targets, ref, func(name string) bool { return name != "" && name != controller })
		said = append(said, saidBy(own, ref, func(string) bool { return true })...)
		slices.SortFunc(said, func(a, b v1alpha1.TargetStatus) int { return cmp.Compare(a.ControllerName, b.ControllerName) })
		status.Targets = append(status.Targets, said...)
	}
	status.Targets = status.Targets[:min(len(status.Targets), maxTargets)]
	status.Conditions = carryOver(report.Generation, old.Conditions, summarize(status.Targets, report.Generation))
	return status
}

// ownTargets is what the controller itself says.
func ownTargets(
	report *translate.Report, old *v1alpha1.AffinityPolicyStatus, controller string,
) []v1alpha1.TargetStatus {
	own := make([]v1alpha1.TargetStatus, len(report.Targets))
	for i := range report.Targets {
		target := report.Targets[i].DeepCopy()
		target.ControllerName = controller
		target.Conditions = append(target.Conditions, programmed(target.Conditions))
		var before []metav1.Condition
		for _, t := range saidBy(old.Targets, target.TargetRef, func(name string) bool { return name == controller }) {
			before = t.Conditions
		}
		target.Conditions = carryOver(report.Generation, before, target.Conditions)
		own[i] = *target
	}
	return own
}

// saidBy gives the entries about a target by certain controllers.
func saidBy(targets []v1alpha1.TargetStatus, ref v1alpha1.TargetRef, by func(name string) bool) []v1alpha1.TargetStatus {
	var said []v1alpha1.TargetStatus
	for i := range targets {
		if targets[i].TargetRef == ref && by(targets[i].ControllerName) {
			said = append(said, targets[i])
		}
	}
	return said
}

// summarize passes over entries about an older generation, which a controller may have left that is no more.
func summarize(targets []v1alpha1.TargetStatus, generation int64) []metav1.Condition {
	current := slices.DeleteFunc(slices.Clone(targets), func(t v1alpha1.TargetStatus) bool {
		return slices.ContainsFunc(t.Conditions, func(c metav1.Condition) bool { return c.ObservedGeneration != generation })
	})
	return v1alpha1.Summarize(current)
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

// equalStatus takes an empty list for the same as none, as the API server does.
func equalStatus(a, b *v1alpha1.AffinityPolicyStatus) bool { return equality.Semantic.DeepEqual(a, b) }
