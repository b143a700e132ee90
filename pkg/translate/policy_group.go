package translate

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// member is one of several backends with the same scope.
type member struct {
	applied
	affinity *model.Affinity
	age      age // of the policy
}

// checkGroups reports groups that cannot share sessions: their Services have different pods, or their policies read
// different cookies and headers, or identify pods in different ways. Each backend is compared with the first one.
func (b *builder) checkGroups() {
	for _, members := range b.groups() {
		first := &members[0]
		for i := range members[1:] {
			m := &members[i+1]
			b.compareSettings(first, m)
			b.comparePods(first, m)
		}
	}
}

// groups returns the backends of each group, sorted.
func (b *builder) groups() [][]member {
	byScope := map[string][]member{}
	for a, by := range b.uses.by {
		if by.policy != nil && by.policy.Spec.Group != "" {
			byScope[a.Scope] = append(byScope[a.Scope], member{by, a, ageOf(by.policy.AffinityPolicy)})
		}
	}
	var out [][]member
	for _, scope := range slices.Sorted(maps.Keys(byScope)) {
		members := byScope[scope]
		slices.SortFunc(members, func(x, y member) int {
			return cmp.Or(x.age.compare(y.age), comparePools(x.pool, y.pool), compareRefs(x.target, y.target))
		})
		out = append(out, members)
	}
	return out
}

// compareSettings reports a member that does not recognize the sessions of the first one.
func (b *builder) compareSettings(first, m *member) {
	group := m.policy.Spec.Group
	if first.policy == m.policy {
		return
	}
	if first.affinity.Identity != m.affinity.Identity {
		b.impairGroup(m, ReasonNoEffect, "spec.group",
			"group %s has no effect: identity is %s here and %s in %s, so neither finds the pods of the other's sessions",
			group, m.affinity.Identity, first.affinity.Identity, first.policy.ref)
	}
	if !shareCarrier(first.affinity, m.affinity) {
		b.impairGroup(m, ReasonNoEffect, "spec.group",
			"group %s has no effect: no method has the source, binding and name of a method in %s; "+
				"set the same cookie.name in both", group, first.policy.ref)
	}
}

// shareCarrier reports whether sessions of x and y are in the same cookie or header.
func shareCarrier(x, y *model.Affinity) bool {
	carried := carriers(x)
	return slices.ContainsFunc(carriers(y), func(c string) bool { return slices.Contains(carried, c) })
}

// carriers returns the methods whose sessions have a scope, by source, binding and name.
func carriers(a *model.Affinity) []string {
	var out []string
	for i := range a.Methods {
		if m := &a.Methods[i]; hasScope(m.Binding) {
			out = append(out, string(m.Source)+"/"+string(m.Binding)+" "+placeOf(m))
		}
	}
	return out
}

// hasScope reports whether sessions of the binding are valid for one backend or group only.
func hasScope(binding model.Binding) bool {
	switch binding {
	case model.BindingIssued, model.BindingWrapped, model.BindingLearned:
		return true
	}
	return false
}

// comparePods reports a member with other pods than the first one, if their pods are known.
func (b *builder) comparePods(first, m *member) {
	if first.pool.Service == m.pool.Service || b.haveSameSelector(first.pool, m.pool) {
		return
	}
	if b.areDisjoint(first.pool, m.pool) {
		b.reportPods(first, m)
		return
	}
	one, two := b.endpointsOf(first.pool), b.endpointsOf(m.pool)
	sameID := func(x, y model.Endpoint) bool { return x.ID == y.ID }
	if len(one) == 0 || len(two) == 0 || slices.EqualFunc(one, two, sameID) {
		return
	}
	b.reportPods(first, m)
}

// endpointsOf returns the endpoints of a pool that accept requests.
func (b *builder) endpointsOf(id model.PoolID) []model.Endpoint {
	b.refer(KindEndpoints, id.Namespace, id.Service)
	slices := b.lookups.endpointSlices(id.Namespace, id.Service)
	return available(Endpoints(b.pools[id], slices, b.lookups.pod))
}

// impairGroup reports that a member does not share its sessions with the others of its group.
func (b *builder) impairGroup(m *member, reason, field, format string, args ...any) {
	b.impair(m.affinity, model.Ref{}, m.policy.ref, reason, field, format, args...)
}

func (b *builder) reportPods(first, m *member) {
	b.impairGroup(m, ReasonNoEffect, "spec.group",
		"group %s does not keep sessions: %s and %s have different pods, so a session moves when a client uses the other "+
			"Service; their selectors must select the same pods", m.policy.Spec.Group, first.pool, m.pool)
}

// haveSameSelector reports whether two Services select the same pods by definition.
func (b *builder) haveSameSelector(x, y model.PoolID) bool {
	one, two := b.selector(x), b.selector(y)
	return len(one) > 0 && maps.Equal(one, two)
}

// areDisjoint reports whether no pod can match the selectors of both Services, because they require different values of
// one label.
func (b *builder) areDisjoint(x, y model.PoolID) bool {
	two := b.selector(y)
	for key, value := range b.selector(x) {
		if other, set := two[key]; set && other != value {
			return true
		}
	}
	return false
}

func (b *builder) selector(pool model.PoolID) map[string]string {
	service := b.lookups.service(types.NamespacedName{Namespace: pool.Namespace, Name: pool.Service})
	if service == nil {
		return nil
	}
	return service.Spec.Selector
}
