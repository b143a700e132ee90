package v1alpha1

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The condition types of an AffinityPolicy, for each of its targets. All but Conflicted and Impaired are good when True.
const (
	// ConditionAccepted says whether the policy can be used as it is written. While it is False, the backends of its
	// targets serve without stickiness.
	ConditionAccepted = "Accepted"
	// ConditionResolvedRefs says whether the target exists.
	ConditionResolvedRefs = "ResolvedRefs"
	// ConditionConflicted says whether another policy has the target. It is bad when True.
	ConditionConflicted = "Conflicted"
	// ConditionImpaired says whether something does not work there as it is meant, though the policy is applied. It is bad
	// when True, and its reason is then that of the first problem.
	ConditionImpaired = "Impaired"
	// ConditionProgrammed says whether the policy, as of observedGeneration, is being served.
	ConditionProgrammed = "Programmed"
)

// The reasons of ConditionAccepted.
const (
	// ReasonAccepted: the policy can be used.
	ReasonAccepted = "Accepted"
	// ReasonInvalid: a value is wrong, though the API server let it pass. The message names the field.
	ReasonInvalid = "Invalid"
	// ReasonUnsupported: the policy asks for something that this version of Limpet does not do. The message names it.
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
	// ReasonNoConflict: no other policy has the target.
	ReasonNoConflict = "NoConflict"
	// ReasonTargetTaken: another policy on the same target wins. The message names it.
	ReasonTargetTaken = "TargetTaken"
)

// The reason of ConditionImpaired where there is no problem.
const (
	// ReasonUnimpaired: as far as can be seen from the objects, everything works as it is meant.
	ReasonUnimpaired = "Unimpaired"
)

// The reasons of ConditionProgrammed.
const (
	// ReasonProgrammed: the policy is being served.
	ReasonProgrammed = "Programmed"
	// ReasonNotApplied: it is not, for the reason that another condition of the target gives.
	ReasonNotApplied = "NotApplied"
)

// Summarize gives the conditions of a policy from those of its targets: a type is True where it is True for every
// target (Conflicted and Impaired: for any), and a message names the targets that are not as they should be. Transition times are
// left to the writer of the status.
func Summarize(targets []TargetStatus) []metav1.Condition {
	var out []metav1.Condition
	for _, kind := range []string{
		ConditionAccepted, ConditionResolvedRefs, ConditionConflicted, ConditionImpaired, ConditionProgrammed,
	} {
		if c, ok := summarizeOne(kind, targets); ok {
			out = append(out, c)
		}
	}
	return out
}

func summarizeOne(kind string, targets []TargetStatus) (metav1.Condition, bool) {
	var sum metav1.Condition
	var messages []string
	for i := range targets {
		c := meta.FindStatusCondition(targets[i].Conditions, kind)
		if c == nil {
			continue
		}
		bad := isBad(c)
		if sum.Type == "" || (bad && len(messages) == 0) {
			sum = *c
		}
		if bad {
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

func isBad(c *metav1.Condition) bool {
	if c.Type == ConditionConflicted || c.Type == ConditionImpaired {
		return c.Status == metav1.ConditionTrue
	}
	return c.Status != metav1.ConditionTrue
}
