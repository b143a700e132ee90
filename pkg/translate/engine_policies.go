package translate

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// policyIndex has all compiled policies.
type policyIndex struct {
	byName   map[types.NamespacedName]*policy
	byTarget map[model.Ref][]*policy // in order of precedence, see policy.compare
	// connecting is the number of policies that connect Ingresses: with a group, or with a domain of cookies.
	connecting int
	handoffs   handoffIndex
}

func newPolicyIndex() policyIndex {
	return policyIndex{
		byName: map[types.NamespacedName]*policy{}, byTarget: map[model.Ref][]*policy{}, handoffs: handoffIndex{},
	}
}

// compare orders accepted policies first, and then by age.
func (p *policy) compare(other *policy) int {
	return cmp.Or(compareBools(p.settings == nil, other.settings == nil),
		ageOf(p.AffinityPolicy).compare(ageOf(other.AffinityPolicy)))
}

// targets returns the targets of a policy without duplicates. p may be nil.
func (p *policy) targets() []model.Ref {
	if p == nil {
		return nil
	}
	var out []model.Ref
	for i := range p.Spec.TargetRefs {
		if target := targetOf(p, &p.Spec.TargetRefs[i]); !slices.Contains(out, target) {
			out = append(out, target)
		}
	}
	return out
}

// connects reports whether the policy has a group, or a cookie with an explicit domain. p may be nil.
func (p *policy) connects() bool {
	return p != nil && p.settings != nil && (p.Spec.Group != "" || p.setsDomain())
}

func (p *policy) setsDomain() bool {
	return slices.ContainsFunc(p.settings.Methods, func(m model.Method) bool {
		return m.Cookie != nil && m.Cookie.Domain != ""
	})
}

// replace replaces one policy. Both may be nil.
func (x *policyIndex) replace(key types.NamespacedName, before, after *policy) {
	put(x.byName, key, after)
	for _, target := range before.targets() {
		x.byTarget[target] = slices.DeleteFunc(x.byTarget[target], func(p *policy) bool { return p == before })
		if len(x.byTarget[target]) == 0 {
			delete(x.byTarget, target)
		}
	}
	for _, target := range after.targets() {
		list := append(x.byTarget[target], after)
		slices.SortFunc(list, (*policy).compare)
		x.byTarget[target] = list
	}
	if before.connects() {
		x.connecting--
	}
	if after.connects() {
		x.connecting++
	}
}

func (x *policyIndex) forTarget(target model.Ref) *policy {
	if list := x.byTarget[target]; len(list) > 0 {
		return list[0]
	}
	return nil
}

// changePolicy compiles a policy again. A nil object was deleted.
func (e *Engine) changePolicy(ref model.Ref, object *v1alpha1.AffinityPolicy) {
	key := types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	before := e.policies.byName[key]
	if object == nil && before == nil {
		return
	}
	var after *policy
	if object != nil {
		if before != nil && samePolicy(before.AffinityPolicy, object) {
			return
		}
		after = readPolicy(object, &e.options)
	}
	for _, target := range append(before.targets(), after.targets()...) {
		e.targetChanged(target)
		e.targetPolicyChanged(target)
	}
	e.policies.replace(key, before, after)
	if e.policies.handoffs.replace(key.Namespace, before, after) {
		e.handoffsChanged(key.Namespace)
	}
	for _, target := range after.targets() {
		e.targetChanged(target)
	}
	e.wasChanged(ref)
	e.step.policies[ref] = struct{}{}
}

// handoffsChanged marks the groups with backends in a namespace: those of its Ingresses, or all if the default backend of the
// controller is in it. A record of each group would need memory all the time for a change that is rare.
func (e *Engine) handoffsChanged(namespace string) {
	isDefault := e.options.DefaultBackend.Namespace == namespace
	for key, n := range e.nodes {
		if n.group != nil && (isDefault || key.Namespace == namespace) {
			e.step.dirty[n.group] = struct{}{}
		}
	}
	if isDefault {
		e.step.dirty[e.defaults] = struct{}{}
	}
}

func samePolicy(x, y *v1alpha1.AffinityPolicy) bool {
	return x.Generation == y.Generation && ageOf(x) == ageOf(y) && reflect.DeepEqual(&x.Spec, &y.Spec)
}

// targetChanged marks the policies with a target for a new Report.
func (e *Engine) targetChanged(target model.Ref) {
	for _, p := range e.policies.byTarget[target] {
		e.step.policies[p.ref] = struct{}{}
	}
}

// targetPolicyChanged marks the groups that have read the policy for a target.
func (e *Engine) targetPolicyChanged(target model.Ref) {
	if target.Kind != model.KindIngress {
		e.wasChanged(target)
		return
	}
	if n := e.served(target); n != nil && n.group != nil {
		e.step.dirty[n.group] = struct{}{}
	}
}

// policyReading has the references of the Report of a policy.
type policyReading struct{ referenced []model.Ref }

// reportPolicies writes the Reports of the marked policies.
func (e *Engine) reportPolicies() {
	for ref := range e.step.policies {
		e.keepReport(ref)
		reading := e.reporters[ref]
		delete(e.reporters, ref)
		delete(e.reports, ref)
		if p := e.policies.byName[types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}]; p != nil {
			e.reports[ref] = e.reportPolicy(p)
		}
		if reading != nil {
			e.merged.release(reading.referenced)
		}
	}
}

func (e *Engine) reportPolicy(p *policy) *Report {
	b := newBuilder(e.options, &groupLookups{engine: e}, e.now)
	b.openPolicy(p)
	facts := &policyFacts{map[use][]v1alpha1.EffectiveBackend{}, map[use][]Problem{}}
	for i := range p.Spec.TargetRefs {
		u := use{p, targetOf(p, &p.Spec.TargetRefs[i])}
		facts.backends[u] = e.merged.backendsOf(u)
	}
	for _, found := range e.merged.impairmentsOf(p.ref) {
		facts.impair(found.use, found.Problem)
		if found.isReported {
			b.reports.addProblem(p.ref, found.Problem)
		}
	}
	b.reportPolicy(p, facts)
	reading := &policyReading{slices.Collect(maps.Keys(b.referenced))}
	e.merged.refer(reading.referenced)
	e.reporters[p.ref] = reading
	return b.reports[p.ref]
}
