package translate

import "github.com/limpet-dev/limpet/pkg/model"

// translation is a description while it is translated, with what other objects add to it.
type translation struct {
	*description
	// chosen is the stickiness that the object brings to backends whose Service has no policy.
	chosen choice
	// pods is how the pods behind it are spoken to.
	pods towardsPods
	// primary is the stickiness of the backend that a canary is the canary of, which it has too unless something else is
	// chosen for it.
	primary *model.Affinity
}

// translateObjects leaves canaries for the end, when there are the routes that they belong to.
func (b *builder) translateObjects() {
	var canaries []*translation
	for _, d := range b.descriptions {
		t := b.begin(d)
		if t.canary != nil {
			canaries = append(canaries, t)
			continue
		}
		b.translate(t)
	}
	for _, t := range canaries {
		b.translate(t)
	}
}

// begin reports what the reader found, and looks up the policy and the Secrets that the object names.
func (b *builder) begin(d *description) *translation {
	t := &translation{description: d}
	b.reportStage(d, readAffinity)
	t.chosen = b.objectAffinity(d)
	b.reportStage(d, readProtection)
	b.closeHosts(d)
	t.pods = b.towardsPods(d)
	b.reportStage(d, readRouting)
	return t
}

func (b *builder) translate(t *translation) {
	for i := range t.rules {
		b.translateRule(t, &t.rules[i])
	}
	b.translateTLS(t.description)
}

func (b *builder) translateRule(t *translation, rule *ruleDescription) {
	b.guardRule(t, rule)
	if rule.problem != nil {
		b.reports.addProblem(t.ref, *rule.problem)
		return
	}
	for _, host := range rule.hosts {
		b.translateRoute(t, rule, keyOf(rule, host))
	}
}

func (b *builder) translateRoute(t *translation, rule *ruleDescription, key routeKey) {
	if t.canary != nil {
		b.addCanary(t, rule, key)
		return
	}
	if !b.mayRoute(t.description, key, rule.field) {
		return
	}
	if !b.routes.take(key, t.ref) {
		b.reportConflict(t, rule, key)
		return
	}
	b.routes.add(key, t, rule, b.resolveAll(t, rule))
}

// reportConflict reports that another rule has the route.
func (b *builder) reportConflict(t *translation, rule *ruleDescription, key routeKey) {
	first := b.routes.taken[key]
	switch {
	case !rule.isDefault:
		b.reports.add(t.ref, ReasonRouteConflict, rule.field,
			"%s belongs to %s, which is older or names it first. This path is left out", key, first)
	case first != t.ref: // rules of the object itself come first, without complaint
		b.reports.add(t.ref, ReasonRouteConflict, rule.field,
			"host %s, path \"/\" belongs to %s, which is older. This default backend is not used there",
			quote(key.host), first)
	}
}
