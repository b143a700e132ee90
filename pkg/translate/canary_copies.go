package translate

import (
	"maps"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// inherited is an annotation of a canary that has no effect there, because the setting of the primary Ingress applies. Tools that
// make canaries copy all annotations of the primary.
type inherited struct {
	key, value string
	// restricts is true if the annotation restricts access with this value.
	restricts bool
	// isRefused is true if it restricts access in a way that this version does not enforce.
	isRefused bool
}

// canaryOwn are the beginnings of the names of annotations that a canary has for itself: how it gets its requests, how these are
// bound, and how they are sent to its pods.
var canaryOwn = []string{
	nginxPrefix + "canary", nginxPrefix + "affinity", nginxPrefix + "session-cookie-", nginxPrefix + "upstream-hash-by",
	nginxPrefix + "load-balance", nginxPrefix + "backend-protocol", nginxPrefix + "proxy-ssl-", nginxPrefix + "secure-",
	annotationPrefix + "affinity", annotationPrefix + "backend-", AnnotationUnenforced,
	// The settings of hosts, which decideHosts compares.
	AnnotationMinVersion, annotationPrefix + "client-", AnnotationHSTS,
}

func isCanaryOwn(key string) bool {
	return slices.ContainsFunc(canaryOwn, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// takeInherited records the annotations of a canary that its primary decides. It returns the findings about the others. waived
// has the keys of protection that the author waives.
func (r *annotationReader) takeInherited(findings []finding, waived map[string]bool) []finding {
	byKey := map[string]*finding{}
	var own []finding
	for i := range findings {
		byKey[findings[i].key] = &findings[i]
		if isCanaryOwn(findings[i].key) {
			own = append(own, findings[i])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.annotations)) {
		f := byKey[key]
		if isCanaryOwn(key) || f == nil && !slices.Contains(annotationNames, key) {
			continue
		}
		value := strings.TrimSpace(r.annotations[key])
		restricts := !waived[key] && r.restricts(key, value, f)
		r.inherited = append(r.inherited, inherited{key, value, restricts, restricts && f != nil && !f.isHonoured})
	}
	return own
}

// restricts reports whether an annotation restricts access with that value. f is nil for a known one of Limpet.
func (r *annotationReader) restricts(key, value string, f *finding) bool {
	if f == nil {
		return value != "" && slices.Contains(protectiveOwn, strings.TrimPrefix(key, annotationPrefix))
	}
	if v := nginxByName[strings.TrimPrefix(key, nginxPrefix)]; v != nil && f.meant == "" {
		return v.effect != nil && v.effect(value, r.annotations) == effectProtection
	}
	return f.effect == effectProtection
}

// lacksProtection compares the annotations of a canary with those of the primary Ingress, whose settings apply to both. It
// reports those that differ, and returns true if one of them restricts access: the canary must not be more open than its author
// wrote.
func (b *builder) lacksProtection(d *description, route *model.Route) bool {
	lacks, primary := false, route.Source
	isWaived := route.Closed == "" && !b.options.ServeUnprotected // what is refused would have closed the primary
	annotations := b.annotationsOf(primary)
	for i := range d.inherited {
		have := &d.inherited[i]
		value, isSet := annotations[have.key]
		switch {
		case isSet && strings.TrimSpace(value) == have.value && (!have.isRefused || !isWaived):
		case have.restricts:
			lacks = true
			b.reports.add(d.ref, ReasonProtectionNotEnforced, annotationField(have.key),
				"annotation %s restricts access, but the settings of %s apply to the canary, and do not restrict it like that: "+
					"the canary gets no requests there. Set the same annotations on both", quote(have.key), primary)
		default:
			b.reports.add(d.ref, ReasonNoEffect, annotationField(have.key),
				"annotation %s has no effect on a canary: the settings of %s apply", quote(have.key), primary)
		}
	}
	return lacks
}

// lacksConfig reports a canary of a class of ingress-nginx whose primary is of another class, if the ConfigMap of ingress-nginx
// restricts access: the settings of the primary apply, and they do not include it.
func (b *builder) lacksConfig(d *description, route *model.Route) bool {
	isOther := func(other *description) bool { return other.ref == route.Source && !other.isNginx }
	if !d.isNginx || !b.options.config.restricts() || !slices.ContainsFunc(b.descriptions, isOther) {
		return false
	}
	b.reports.add(d.ref, ReasonProtectionNotEnforced, "",
		"%s restricts access, but the settings of %s apply to the canary, whose class is not one of ingress-nginx: the canary gets no "+
			"requests there", b.options.nginxConfigRef(), route.Source)
	return true
}

// annotationsOf returns the annotations of a described object.
func (b *builder) annotationsOf(ref model.Ref) map[string]string {
	if b.annotations == nil {
		b.annotations = map[model.Ref]map[string]string{}
		for _, d := range b.descriptions {
			b.annotations[d.ref] = d.annotations
		}
	}
	return b.annotations[ref]
}
