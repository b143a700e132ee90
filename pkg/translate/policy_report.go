package translate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// maxBackends is the limit of the schema of the status.
const maxBackends = 64

// reportPolicies sets the Targets of the Report of each policy.
func (b *builder) reportPolicies(policies []*policy) {
	facts := b.policyFacts()
	for _, p := range policies {
		b.reportPolicy(p, facts)
	}
}

// reportPolicy sets the Targets of the Report of a policy.
func (b *builder) reportPolicy(p *policy, facts *policyFacts) {
	report := b.reports[p.ref]
	for i := range p.Spec.TargetRefs {
		if !b.lookups.isForeign(targetOf(p, &p.Spec.TargetRefs[i])) {
			report.Targets = append(report.Targets, b.reportTarget(p, i, facts))
		}
	}
	if len(report.Targets) == 0 { // other controllers report its problems
		report.Problems = nil
	}
}

func (b *builder) reportTarget(p *policy, i int, facts *policyFacts) v1alpha1.TargetStatus {
	ref := p.Spec.TargetRefs[i]
	target := targetOf(p, &ref)
	field := fmt.Sprintf("spec.targetRefs[%d]", i)
	out := v1alpha1.TargetStatus{TargetRef: ref, Conditions: []metav1.Condition{
		accepted(p), b.resolved(p, target, field), b.conflicted(p, target, field), impaired(p, facts.impaired[use{p, target}]),
	}}
	if applied := sortBackends(facts.backends[use{p, target}]); len(applied) > 0 {
		out.Effective = effective(p.settings, applied)
	}
	return out
}

func accepted(p *policy) metav1.Condition {
	if p.settings == nil {
		return condition(p, v1alpha1.ConditionAccepted, metav1.ConditionFalse, p.reason,
			p.message+". This policy is not applied")
	}
	return condition(p, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonAccepted,
		"The policy is valid")
}

func (b *builder) resolved(p *policy, target model.Ref, field string) metav1.Condition {
	if b.exists(target) {
		return condition(p, v1alpha1.ConditionResolvedRefs, metav1.ConditionTrue, v1alpha1.ReasonResolvedRefs,
			target.String()+" exists")
	}
	message := target.String() + " does not exist"
	b.reports.add(p.ref, v1alpha1.ReasonTargetNotFound, field, "%s", message)
	return condition(p, v1alpha1.ConditionResolvedRefs, metav1.ConditionFalse, v1alpha1.ReasonTargetNotFound, message)
}

// exists reports whether a target exists. It records the reference, so that the creation of a Service causes a Build.
func (b *builder) exists(target model.Ref) bool {
	if target.Kind == model.KindService {
		_, key := b.refer(target.Kind, target.Namespace, target.Name)
		return b.lookups.service(key) != nil
	}
	return b.lookups.isDescribed(target)
}

func (b *builder) conflicted(p *policy, target model.Ref, field string) metav1.Condition {
	winner := b.lookups.policyFor(target)
	if winner == p {
		return condition(p, v1alpha1.ConditionConflicted, metav1.ConditionFalse, v1alpha1.ReasonNoConflict,
			"No other policy takes precedence for the target")
	}
	why := "is older"
	if winner.settings != nil && p.settings == nil {
		why = "is accepted"
	}
	message := fmt.Sprintf("%s takes precedence for %s, because it %s", winner.ref, target, why)
	b.reports.add(p.ref, v1alpha1.ReasonTargetTaken, field, "%s", message)
	return condition(p, v1alpha1.ConditionConflicted, metav1.ConditionTrue, v1alpha1.ReasonTargetTaken, message)
}

// impairment is a problem of a policy that is applied anyway.
type impairment struct {
	use
	Problem
	// route is the object whose route has the problem.
	route model.Ref
	// isReported is true if the Report of the policy lists the problem, in addition to its condition.
	isReported bool
}

// impair reports a problem of stickiness that is applied anyway. It adds the problem to the Report of the object about, and
// to the condition Impaired of the policy. route is the object of the route.
func (b *builder) impair(a *model.Affinity, route, about model.Ref, reason, field, format string, args ...any) {
	b.reports.add(about, reason, field, format, args...)
	u := b.uses.by[a].use
	if u.policy == nil {
		return
	}
	b.uses.impairments = append(b.uses.impairments, impairment{
		use: u, Problem: problemOf(reason, field, format, args...), route: route, isReported: about == u.policy.ref,
	})
}

// policyFacts are the facts about the uses of policies that their Reports state.
type policyFacts struct {
	backends map[use][]v1alpha1.EffectiveBackend // in any order
	impaired map[use][]Problem                   // without duplicates
}

func (b *builder) policyFacts() *policyFacts {
	facts := &policyFacts{map[use][]v1alpha1.EffectiveBackend{}, map[use][]Problem{}}
	for affinity, at := range b.uses.by {
		if at.policy != nil {
			facts.backends[at.use] = append(facts.backends[at.use], effectiveBackend(affinity, at.pool))
		}
	}
	for i := range b.uses.impairments {
		facts.impair(b.uses.impairments[i].use, b.uses.impairments[i].Problem)
	}
	return facts
}

func (f *policyFacts) impair(u use, p Problem) {
	if !slices.Contains(f.impaired[u], p) {
		f.impaired[u] = append(f.impaired[u], p)
	}
}

// maxImpairments bounds the problems that one condition lists.
const maxImpairments = 8

func impaired(p *policy, problems []Problem) metav1.Condition {
	problems = slices.Concat(p.withoutEffect, problems)
	if len(problems) == 0 {
		return condition(p, v1alpha1.ConditionImpaired, metav1.ConditionFalse, v1alpha1.ReasonUnimpaired,
			"No problem was found")
	}
	var messages []string
	for _, problem := range problems[:min(len(problems), maxImpairments)] {
		messages = append(messages, problem.Message)
	}
	if more := len(problems) - maxImpairments; more > 0 {
		messages = append(messages, fmt.Sprintf("and %d more", more))
	}
	return condition(p, v1alpha1.ConditionImpaired, metav1.ConditionTrue, problems[0].Reason, strings.Join(messages, "; "))
}

func condition(p *policy, kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{
		Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: p.Generation,
	}
}

func effective(a *model.Affinity, backends []v1alpha1.EffectiveBackend) *v1alpha1.EffectiveSettings {
	return &v1alpha1.EffectiveSettings{
		Backends:        backends,
		AbsoluteTimeout: durationText(a.AbsoluteTimeout),
		IdleTimeout:     durationText(a.IdleTimeout),
		Pick:            v1alpha1.Pick(a.Pick),
		KeepSessions:    a.KeepDraining,
		Unavailable:     v1alpha1.UnavailableAction(a.Unavailable.Action),
		Identity:        v1alpha1.Identity(a.Identity),
	}
}

// sortBackends returns the sorted backends without duplicates, cut to the length that the schema allows.
func sortBackends(backends []v1alpha1.EffectiveBackend) []v1alpha1.EffectiveBackend {
	backends = slices.Clone(backends)
	slices.SortFunc(backends, compareBackends)
	backends = slices.CompactFunc(backends, func(x, y v1alpha1.EffectiveBackend) bool { return compareBackends(x, y) == 0 })
	return backends[:min(len(backends), maxBackends)]
}

func compareBackends(x, y v1alpha1.EffectiveBackend) int {
	return cmp.Or(cmp.Compare(x.Backend, y.Backend), slices.Compare(x.Methods, y.Methods))
}

func effectiveBackend(a *model.Affinity, pool model.PoolID) v1alpha1.EffectiveBackend {
	out := v1alpha1.EffectiveBackend{Backend: pool.String()}
	for _, m := range a.Methods {
		text := string(m.Source) + "/" + string(m.Binding)
		switch {
		case m.Cookie != nil:
			text += " " + m.Cookie.Name
		case m.Header != nil:
			text += " " + m.Header.Name
		case m.QueryParam != nil:
			text += " " + m.QueryParam.Name
		case m.PathSegment != nil:
			text += fmt.Sprintf(" %d", m.PathSegment.Index)
		case m.SourceIP != nil:
			text += fmt.Sprintf(" /%d /%d", m.SourceIP.IPv4PrefixLength, m.SourceIP.IPv6PrefixLength)
		case len(m.Parts) > 0:
			text += " " + partsText(m.Parts)
		}
		out.Methods = append(out.Methods, truncateText(text))
	}
	return out
}

// durationText formats a duration as the pattern of v1alpha1.Duration requires: hours, minutes, seconds and milliseconds,
// without units whose count is zero.
func durationText(d time.Duration) v1alpha1.Duration {
	text := ""
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}} {
		if n := d / unit.size; n > 0 {
			text += fmt.Sprintf("%d%s", n, unit.name)
			d -= n * unit.size
		}
	}
	return v1alpha1.Duration(cmp.Or(text, "0s"))
}
