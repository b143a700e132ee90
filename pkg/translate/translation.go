package translate

import (
	"fmt"

	"github.com/limpet-dev/limpet/pkg/model"
)

// translation is a description with the settings that other objects add to it.
type translation struct {
	*description
	// chosen is the stickiness of backends whose Service has no policy.
	chosen choice
	// pods is the transport to its pods.
	pods podTransport
	// closed is the reason why all routes are closed, as in the description or because of a Secret. Empty means open.
	closed string
	// access restricts who may access the routes. Nil means that everyone may.
	access *model.Access
	// filters are the filters of the description, with the objects that they reference.
	filters *model.Filters
	// fallback serves when no backend has endpoints. Nil means that nothing does.
	fallback *model.Backend
	// pages are its error pages, or nil.
	pages *model.ErrorPages
	// primary is the stickiness of the primary backend of a canary. The canary uses it unless another one is chosen.
	primary *model.Affinity
}

// translateObjects translates canaries last, because they need the routes of their primaries.
func (b *builder) translateObjects() {
	var canaries []*translation
	for _, d := range b.descriptions {
		t := b.prepare(d)
		if t.canary != nil {
			canaries = append(canaries, t)
			continue
		}
		b.translate(t)
	}
	for _, t := range canaries {
		b.translate(t)
	}
	b.addSlashRedirects()
}

// prepare reports the problems of the reader, and looks up the policy, the Secrets and the ConfigMap that the object references.
func (b *builder) prepare(d *description) *translation {
	t := &translation{description: d, closed: d.closed}
	b.reportStage(d, readAffinity)
	t.chosen = b.objectAffinity(d)
	b.reportStage(d, readProtection)
	b.closeHosts(d)
	t.pods = b.podTransport(d)
	b.reportStage(d, readRouting)
	b.addAccess(t)
	b.addDefaultBackend(t)
	t.filters = b.addOwnRequests(t, b.withGlobalHeaders(t, b.withCustomHeaders(d)))
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
	switch {
	case rule.problem != nil:
		b.reports.addProblem(t.ref, *rule.problem)
		if rule.closed == "" {
			return
		}
		t = t.closedBy(rule.closed)
	case rule.looksLikePattern:
		b.reports.add(t.ref, ReasonLiteralPath, rule.field+".path",
			"path %s looks like a pattern, but Limpet compares it as it is written. Set annotation %s, or use pathType Prefix "+
				"with a path such as %s", quote(rule.path), AnnotationPathRegex, quote(literalPart(rule.path)))
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
	b.addPathFilters(t, rule, b.routes.find(key))
	if key.kind == model.PathExact && t.paths.addsSlash(key.path) {
		b.slashed = append(b.slashed, slashed{key, t.paths.isRelative})
	}
}

// reportConflict reports that another rule has the route.
func (b *builder) reportConflict(t *translation, rule *ruleDescription, key routeKey) {
	first := b.routes.taken[key]
	switch {
	case !rule.isDefault && first == t.ref:
		b.reports.add(t.ref, ReasonRouteConflict, rule.field,
			"an earlier rule of this %s already has %s. This path is ignored", t.ref.Kind, key)
	case !rule.isDefault:
		b.reports.add(t.ref, ReasonRouteConflict, rule.field,
			"%s already has %s, because %s. This path is ignored", first, key, t.ranksBelow())
	case first != t.ref: // other rules of the object itself take precedence without a problem
		b.reports.add(t.ref, ReasonRouteConflict, rule.field,
			"%s already has path \"/\" of host %s, because %s. This default backend is ignored for that host",
			first, quote(key.host), t.ranksBelow())
	}
}

// ranksBelow returns why another object takes precedence.
func (d *description) ranksBelow() string {
	if d.age.isDeleting {
		return fmt.Sprintf("this %s or its namespace is being deleted", d.ref.Kind)
	}
	return "it is older or, at the same age, first by name"
}
