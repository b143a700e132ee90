package translate

import (
	"fmt"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// source is an Ingress while it is translated.
type source struct {
	*networkingv1.Ingress
	ref model.Ref
	// closed says why its routes are closed. Empty: they are open.
	closed string
	// affinity is the stickiness that the Ingress brings to backends whose Service has no policy.
	affinity choice
	// limits are those that the Ingress asks for, nil for those of the flags.
	limits *model.Limits
	// towardsPods is how the pods behind it are spoken to.
	towardsPods towardsPods
	// canary is nil for an Ingress that has routes of its own.
	canary *canary
	// primary is the stickiness of the backend that a canary is the canary of, which it has too unless something else is
	// chosen for it.
	primary *model.Affinity
}

// without says for a message what becomes of a path whose backend cannot be resolved.
func (s *source) without() string {
	if s.canary != nil {
		return "The canary gets no requests"
	}
	return "The route answers 503"
}

// translateIngresses leaves canaries for the end, when there are the routes that they belong to.
func (b *builder) translateIngresses() {
	var canaries []*source
	for _, ingress := range b.ingresses {
		s := &source{Ingress: ingress, ref: refOf("Ingress", ingress)}
		s.affinity = b.ingressAffinity(s)
		b.checkAnnotations(s)
		s.towardsPods = b.readTransport(s)
		if s.canary = b.readCanary(s); s.canary != nil {
			b.refuseLimits(s)
			canaries = append(canaries, s)
			continue
		}
		s.limits = b.readLimits(s)
		b.translateIngress(s)
	}
	for _, s := range canaries {
		b.translateIngress(s)
	}
}

func (b *builder) translateIngress(s *source) {
	for i := range s.Spec.Rules {
		b.translateRule(s, &s.Spec.Rules[i], fmt.Sprintf("spec.rules[%d]", i))
	}
	if s.Spec.DefaultBackend != nil {
		b.addDefault(s, "", "spec.defaultBackend")
	}
	b.translateTLS(s)
}

func (b *builder) translateRule(s *source, rule *networkingv1.IngressRule, field string) {
	if wrong := checkHost(rule.Host); wrong != "" {
		b.reports.add(s.ref, ReasonInvalidHost, field+".host", "host %s %s. The rule is left out", quote(rule.Host), wrong)
		return
	}
	if rule.HTTP == nil || len(rule.HTTP.Paths) == 0 {
		b.translateEmptyRule(s, rule.Host, field)
		return
	}
	for i := range rule.HTTP.Paths {
		b.translatePath(s, rule.Host, &rule.HTTP.Paths[i], fmt.Sprintf("%s.http.paths[%d]", field, i))
	}
}

// translateEmptyRule: the API leaves it to the controller what a rule without paths does. All of its host goes to the
// default backend of the Ingress.
func (b *builder) translateEmptyRule(s *source, host, field string) {
	if s.Spec.DefaultBackend == nil {
		b.reports.add(s.ref, ReasonEmptyRule, field,
			"the rule has no paths, and the Ingress has no defaultBackend: nothing is served for host %s", quote(host))
		return
	}
	b.addDefault(s, host, field)
}

func (b *builder) translatePath(s *source, host string, path *networkingv1.HTTPIngressPath, field string) {
	b.guardPattern(s, host, path)
	text, kind, wrong := routePath(path)
	if wrong != "" {
		b.reports.add(s.ref, ReasonInvalidPath, field, "path %s %s. It is left out", quote(path.Path), wrong)
		return
	}
	key := routeKey{host: host, path: text, kind: kind}
	if s.canary != nil {
		b.addCanary(s, key, &path.Backend, field+".backend")
		return
	}
	if !b.mayRoute(s, key, field) {
		return
	}
	if !b.routes.take(key, s.ref) {
		b.reports.add(s.ref, ReasonRouteConflict, field,
			"host %s, path %s, %s belongs to %s, which is older or names it first. This path is left out",
			quote(host), quote(text), kind, b.routes.taken[key])
		return
	}
	b.routes.add(key, s, b.resolve(s, &path.Backend, field+".backend"))
}

// addDefault routes a whole host to the default backend. Rules of the Ingress itself come first, without complaint.
func (b *builder) addDefault(s *source, host, field string) {
	key := routeKey{host: host, path: "/", kind: model.PathPrefix}
	if s.canary != nil {
		b.addCanary(s, key, s.Spec.DefaultBackend, "spec.defaultBackend")
		return
	}
	if !b.mayRoute(s, key, field) {
		return
	}
	if b.routes.take(key, s.ref) {
		b.routes.add(key, s, b.resolve(s, s.Spec.DefaultBackend, "spec.defaultBackend"))
		return
	}
	if owner := b.routes.taken[key]; owner != s.ref {
		b.reports.add(s.ref, ReasonRouteConflict, field,
			"host %s, path \"/\" belongs to %s, which is older. This default backend is not used there", quote(host), owner)
	}
}
