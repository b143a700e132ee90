package translate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// readIngresses describes the Ingresses that Limpet serves.
func readIngresses(w *Snapshot, o *Options) readings {
	var out readings
	classes, terminating := readClasses(w.IngressClasses, o), terminatingNamespaces(w.Namespaces)
	for _, ingress := range w.Ingresses {
		if isServed, isNginx := classes.of(ingress); isServed {
			d := describeIngress(ingress, isNginx, o)
			d.age.isDeleting = d.age.isDeleting || terminating.has(ingress.Namespace)
			out.descriptions = append(out.descriptions, d)
			continue
		}
		out.foreign = append(out.foreign, refOf(model.KindIngress, ingress))
		if o.ReportUnserved {
			out.unserved = append(out.unserved, unservedReport(ingress, o))
		}
		eachService(ingress, func(service model.Ref) { out.foreign = append(out.foreign, service) })
	}
	return out
}

// eachService calls f for each Service that an Ingress names.
func eachService(ingress *networkingv1.Ingress, f func(model.Ref)) {
	r := ingressReader{Ingress: ingress, description: &description{}}
	r.readRules()
	r.eachService(f)
}

func describeIngress(ingress *networkingv1.Ingress, isNginx bool, o *Options) *description {
	d := &description{
		ref: refOf(model.KindIngress, ingress), generation: ingress.Generation, age: ageOf(ingress), isNginx: isNginx,
	}
	readAnnotations(d, ingress.Annotations, o)
	r := ingressReader{Ingress: ingress, description: d}
	r.readRules()
	r.addAppRoot()
	r.addExtras()
	r.readTLS()
	return d
}

// ingressReader reads the spec of an Ingress into its description.
type ingressReader struct {
	*networkingv1.Ingress
	*description
}

func (r *ingressReader) readRules() {
	for i := range r.Spec.Rules {
		r.readRule(&r.Spec.Rules[i], fmt.Sprintf("spec.rules[%d]", i))
	}
	if len(r.Spec.Rules) == 0 {
		r.addHost("")
	}
	if r.Spec.DefaultBackend != nil {
		r.addDefault("", "spec.defaultBackend")
	}
}

func (r *ingressReader) readRule(rule *networkingv1.IngressRule, field string) {
	if problem := checkHost(rule.Host); problem != "" {
		r.leaveOut(rule, problemOf(ReasonInvalidHost, field+".host",
			"host %s %s. The rule is ignored", quote(rule.Host), problem))
		return
	}
	r.addHost(rule.Host)
	if rule.HTTP == nil || len(rule.HTTP.Paths) == 0 {
		r.readEmptyRule(rule.Host, field)
		return
	}
	hosts := []string{rule.Host}
	for i := range rule.HTTP.Paths {
		r.readPath(hosts, &rule.HTTP.Paths[i], fmt.Sprintf("%s.http.paths[%d]", field, i))
	}
}

// leaveOut adds an invalid rule, which only keeps the Services that it names.
func (r *ingressReader) leaveOut(rule *networkingv1.IngressRule, problem Problem) {
	out := ruleDescription{problem: &problem}
	if rule.HTTP != nil {
		for i := range rule.HTTP.Paths {
			out.backends = append(out.backends, r.backend(&rule.HTTP.Paths[i].Backend, ""))
		}
	}
	r.rules = append(r.rules, out)
}

// readEmptyRule reads a rule without paths, whose meaning the API leaves to the controller. All requests for its host go to
// the default backend of the Ingress.
func (r *ingressReader) readEmptyRule(host, field string) {
	if r.Spec.DefaultBackend != nil {
		r.addDefault(host, field)
		return
	}
	problem := problemOf(ReasonEmptyRule, field,
		"the rule has no paths, and the Ingress has no defaultBackend: nothing is served for host %s", quote(host))
	r.rules = append(r.rules, ruleDescription{problem: &problem})
}

// addDefault routes a whole host to the default backend.
func (r *ingressReader) addDefault(host, field string) {
	r.rules = append(r.rules, ruleDescription{
		field: field, hosts: []string{host}, path: "/", pathType: model.PathPrefix, written: "/", isDefault: true,
		backends: []backendDescription{r.backend(r.Spec.DefaultBackend, "spec.defaultBackend")},
	})
}

func (r *ingressReader) readPath(hosts []string, path *networkingv1.HTTPIngressPath, field string) {
	rule := ruleDescription{
		field: field, hosts: hosts, guards: pathGuards(path.Path),
		backends: []backendDescription{r.backend(&path.Backend, field+".backend")},
	}
	problem := ""
	if rule.path, rule.pathType, problem = ingressPath(path, r.paths.isLikeNginx); problem != "" {
		invalid := problemOf(ReasonInvalidPath, field, "path %s %s. It is ignored", quote(path.Path), problem)
		rule.problem = &invalid
	} else {
		rule.looksLikePattern = isPattern(rule.path)
	}
	rule.written = cmp.Or(path.Path, "/")
	r.rules = append(r.rules, rule)
}

// pathGuards returns the prefixes to close if the Ingress is closed, because its path may be a pattern.
func pathGuards(path string) []string {
	if at := strings.IndexAny(path, patternBytes); at >= 0 {
		return patternPrefixes(path, at)
	}
	return nil
}

// ingressPath returns the path of a route and its type, or a problem. ingress-nginx makes ImplementationSpecific paths Prefix
// paths as they are written. For other controllers, a star at the end has a meaning.
func ingressPath(p *networkingv1.HTTPIngressPath, isLikeNginx bool) (path string, kind model.PathType, problem string) {
	if p.PathType == nil {
		return "", "", "has no pathType; it must be Exact, Prefix or ImplementationSpecific"
	}
	path = p.Path
	switch *p.PathType {
	case networkingv1.PathTypeExact:
		kind = model.PathExact
	case networkingv1.PathTypePrefix:
		kind = model.PathPrefix
	case networkingv1.PathTypeImplementationSpecific:
		kind = model.PathPrefix
		if !isLikeNginx {
			path = trimStar(path)
		}
		path = cmp.Or(path, "/")
	default:
		return "", "", fmt.Sprintf("has pathType %s; it must be Exact, Prefix or ImplementationSpecific",
			quote(string(*p.PathType)))
	}
	path, problem = routePath(path, kind)
	return path, kind, problem
}

// backend describes a backend. One that is not a Service is a problem.
func (r *ingressReader) backend(in *networkingv1.IngressBackend, field string) backendDescription {
	out := backendDescription{field: field, serviceField: field + ".service", weight: 1}
	if in.Service != nil {
		out.namespace, out.service = r.Ingress.Namespace, in.Service.Name
		out.port = portDescription{name: in.Service.Port.Name, number: in.Service.Port.Number}
		return out
	}
	problem := problemOf(ReasonUnsupportedBackend, field, "the backend names no Service. %s", r.consequence(&out))
	if other := in.Resource; other != nil {
		problem = problemOf(ReasonUnsupportedBackend, field+".resource",
			"%s %s cannot be a backend: only a Service can. %s", quote(other.Kind), quote(other.Name), r.consequence(&out))
	}
	out.problem = &problem
	return out
}

func (r *ingressReader) readTLS() {
	for i := range r.Spec.TLS {
		field := fmt.Sprintf("spec.tls[%d]", i)
		r.tls = append(r.tls, tlsDescription{
			field:       field,
			secret:      model.Ref{Kind: model.KindSecret, Namespace: r.Ingress.Namespace, Name: r.Spec.TLS[i].SecretName},
			secretField: field + ".secretName",
			hosts:       slices.Clone(r.Spec.TLS[i].Hosts),
			hostsField:  field + ".hosts",
		})
	}
}
