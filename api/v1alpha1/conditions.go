package v1alpha1

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The condition types of an AffinityPolicy. Limpet sets them for each target. True means healthy, except for Conflicted
// and Impaired, where True means a problem.
const (
	// ConditionAccepted reports whether the policy is valid. While it is False, the backends of its targets are
	// served without stickiness.
	ConditionAccepted = "Accepted"
	// ConditionResolvedRefs reports whether the target exists.
	ConditionResolvedRefs = "ResolvedRefs"
	// ConditionConflicted reports whether another policy takes precedence on this target. True means a problem.
	ConditionConflicted = "Conflicted"
	// ConditionImpaired reports whether the policy is applied but does not fully work. True means a problem. The
	// reason is then that of the first problem.
	ConditionImpaired = "Impaired"
	// ConditionProgrammed reports whether the policy, as of observedGeneration, is being served.
	ConditionProgrammed = "Programmed"
)

// The reasons of ConditionAccepted.
const (
	// ReasonAccepted: the policy is valid.
	ReasonAccepted = "Accepted"
	// ReasonInvalid: a field has an invalid value that the API server did not reject. The message names the field.
	ReasonInvalid = "Invalid"
	// ReasonUnsupported: the policy uses a feature that this version of Limpet does not support. The message names
	// it.
	ReasonUnsupported = "Unsupported"
)

// The reasons of ConditionResolvedRefs.
const (
	// ReasonResolvedRefs: the target exists.
	ReasonResolvedRefs = "ResolvedRefs"
	// ReasonTargetNotFound: the target does not exist.
	ReasonTargetNotFound = "TargetNotFound"
)

// The reasons of ConditionConflicted.
const (
	// ReasonNoConflict: no other policy takes precedence on this target.
	ReasonNoConflict = "NoConflict"
	// ReasonTargetTaken: another policy on the same target takes precedence. The message names it.
	ReasonTargetTaken = "TargetTaken"
)

// The reason of ConditionImpaired when it is False. When it is True, the reason is the reason of the first problem.
const (
	// ReasonUnimpaired: no problem was found. Only Kubernetes objects are checked, not traffic.
	ReasonUnimpaired = "Unimpaired"
)

// The reasons of ConditionProgrammed.
const (
	// ReasonProgrammed: the policy is being served.
	ReasonProgrammed = "Programmed"
	// ReasonNotApplied: the policy is not being served. Another condition of the target has the cause.
	ReasonNotApplied = "NotApplied"
)

// Summarize merges the conditions of all targets into the conditions of the policy.
//
// A condition is True if it is True for every target. Conflicted and Impaired are True if they are True for any
// target. If some targets have a problem, the message names these targets. LastTransitionTime is left zero: the
// status writer sets it.
func Summarize(targets []TargetStatus) []metav1.Condition {
	var out []metav1.Condition
	for _, conditionType := range []string{
		ConditionAccepted, ConditionResolvedRefs, ConditionConflicted, ConditionImpaired, ConditionProgrammed,
	} {
		if c, ok := summarizeOne(conditionType, targets); ok {
			out = append(out, c)
		}
	}
	return out
}

// summarizeOne merges the conditions of one type. The first unhealthy condition wins. It returns false if no target
// has a condition of that type.
func summarizeOne(conditionType string, targets []TargetStatus) (metav1.Condition, bool) {
	var sum metav1.Condition
	var messages []string
	for i := range targets {
		c := meta.FindStatusCondition(targets[i].Conditions, conditionType)
		if c == nil {
			continue
		}
		unhealthy := isUnhealthy(c)
		if sum.Type == "" || (unhealthy && len(messages) == 0) {
			sum = *c
		}
		if unhealthy {
			ref := targets[i].TargetRef
			messages = append(messages, ref.Kind+" "+ref.Name+": "+c.Message)
		}
	}
	if len(messages) > 0 {
		sum.Message = strings.Join(messages, "; ")
	}
	sum.LastTransitionTime = metav1.Time{}
	return sum, sum.Type != ""
}

// isUnhealthy reports whether c reports a problem. Unknown counts as a problem.
func isUnhealthy(c *metav1.Condition) bool {
	if c.Type == ConditionConflicted || c.Type == ConditionImpaired {
		return c.Status == metav1.ConditionTrue
	}
	return c.Status != metav1.ConditionTrue
}
