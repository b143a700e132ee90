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

// maxTargets is the maximum length of status.targets in the schema.
const maxTargets = 64

// policyStatus returns the new status of a policy whose table is being served.
//
// A condition whose status did not change keeps its transition time. Entries that other installations wrote for
// targets of the policy are kept. Entries are sorted by controller name, so that installations do not overwrite
// each other's order.
func policyStatus(
	report *translate.Report, policy *v1alpha1.AffinityPolicy, controller string,
) *v1alpha1.AffinityPolicyStatus {
	own, old := ownTargets(report, &policy.Status, controller), &policy.Status
	status := &v1alpha1.AffinityPolicyStatus{}
	for _, ref := range policy.Spec.TargetRefs {
		entries := entriesFor(old.Targets, ref, func(name string) bool { return name != "" && name != controller })
		entries = append(entries, entriesFor(own, ref, func(string) bool { return true })...)
		slices.SortFunc(entries, func(a, b v1alpha1.TargetStatus) int { return cmp.Compare(a.ControllerName, b.ControllerName) })
		status.Targets = append(status.Targets, entries...)
	}
	status.Targets = status.Targets[:min(len(status.Targets), maxTargets)]
	status.Conditions = carryOver(report.Generation, old.Conditions, summarize(status.Targets, report.Generation))
	return status
}

// ownTargets returns the entries of this installation.
func ownTargets(
	report *translate.Report, old *v1alpha1.AffinityPolicyStatus, controller string,
) []v1alpha1.TargetStatus {
	own := make([]v1alpha1.TargetStatus, len(report.Targets))
	for i := range report.Targets {
		target := report.Targets[i].DeepCopy()
		target.ControllerName = controller
		target.Conditions = append(target.Conditions, programmedCondition(target.Conditions))
		var before []metav1.Condition
		for _, t := range entriesFor(old.Targets, target.TargetRef, func(name string) bool { return name == controller }) {
			before = t.Conditions
		}
		target.Conditions = carryOver(report.Generation, before, target.Conditions)
		own[i] = *target
	}
	return own
}

// entriesFor returns the entries for a target whose controller name matches.
func entriesFor(targets []v1alpha1.TargetStatus, ref v1alpha1.TargetRef, match func(name string) bool) []v1alpha1.TargetStatus {
	var entries []v1alpha1.TargetStatus
	for i := range targets {
		if targets[i].TargetRef == ref && match(targets[i].ControllerName) {
			entries = append(entries, targets[i])
		}
	}
	return entries
}

// summarize returns the conditions of the policy. It ignores entries of older generations, which an uninstalled
// controller may have left behind.
func summarize(targets []v1alpha1.TargetStatus, generation int64) []metav1.Condition {
	current := slices.DeleteFunc(slices.Clone(targets), func(t v1alpha1.TargetStatus) bool {
		return slices.ContainsFunc(t.Conditions, func(c metav1.Condition) bool { return c.ObservedGeneration != generation })
	})
	return v1alpha1.Summarize(current)
}

// programmedCondition derives the condition Programmed from the other conditions of a target. They belong to the
// table that is being served.
func programmedCondition(others []metav1.Condition) metav1.Condition {
	for _, required := range []struct {
		condition string
		status    metav1.ConditionStatus
	}{
		{v1alpha1.ConditionAccepted, metav1.ConditionTrue},
		{v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue},
		{v1alpha1.ConditionConflicted, metav1.ConditionFalse},
	} {
		if !meta.IsStatusConditionPresentAndEqual(others, required.condition, required.status) {
			return metav1.Condition{
				Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotApplied,
				Message: "Not applied: see the condition " + required.condition,
			}
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionProgrammed, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProgrammed,
		Message: "The policy is being served",
	}
}

// carryOver sets the generation of conditions, and keeps the transition times of old conditions with the same
// status.
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

// equalPolicyStatus reports whether a and b are equal. Like the API server, it treats an empty list and nil as
// equal.
func equalPolicyStatus(a, b *v1alpha1.AffinityPolicyStatus) bool {
	return equality.Semantic.DeepEqual(a, b)
}
