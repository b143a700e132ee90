package translate

import (
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// hostKey identifies the routes that a namespace has for a host.
type hostKey struct{ namespace, host string }

// closure is the annotation that closes a host, and its object.
type closure struct {
	key string
	by  model.Ref
}

// closeHosts records the hosts to close because of an annotation that ingress-nginx applies to whole hosts. All routes of
// the namespace for these hosts are closed. Routes of other namespaces stay open.
func (b *builder) closeHosts(d *description) {
	if d.closesHosts == "" {
		return
	}
	for _, name := range d.routedHosts(true) {
		at := hostKey{d.namespace(), name}
		if _, closed := b.closedHosts[at]; !closed {
			b.closedHosts[at] = closure{d.closesHosts, d.ref}
		}
	}
}

// closeRoutes closes the routes of the hosts that closeHosts recorded, and reports it on their objects.
func (b *builder) closeRoutes() {
	for i := range b.routes.list {
		route := &b.routes.list[i]
		c, closed := b.closedHosts[hostKey{route.Source.Namespace, route.Host}]
		if !closed || route.Closed != "" {
			continue
		}
		route.Closed = "annotation " + c.key + " of " + c.by.String() + " is not enforced"
		b.reports.add(route.Source, ReasonProtectionNotEnforced, "spec.rules",
			"annotation %s of %s requires protection of host %s that this version does not enforce: all routes of namespace %s "+
				"for the host respond 503. To serve them unprotected, list the name of that annotation in annotation %s of %s",
			quote(c.key), c.by, quote(route.Host), c.by.Namespace, AnnotationUnenforced, c.by)
	}
	b.addGuards()
}

// requiresOtherClients reports whether a canary requires client certificates that the route does not require. The backend of
// the canary would be open to more clients than its author wrote.
func (b *builder) requiresOtherClients(d *description, route *model.Route) bool {
	want, have := b.secured[d.ref].clients, b.secured[route.Source].clients
	if have == nil {
		have = b.hosts[route.Host].Clients
	}
	return want != nil && (have == nil || have.Fingerprint != want.Fingerprint)
}

// guard is a closed route for requests that match a pattern of a closed Ingress in ingress-nginx.
type guard struct {
	key routeKey
	by  *translation
}

// patternBytes are the bytes that make a path a pattern. A dot alone does not.
const patternBytes = `^$*+?()[]{}|\`

// guardRule records the prefixes to close because a path of a closed object may be a pattern (use-regex, rewrite-target).
// Otherwise a route for a shorter path would serve the protected requests.
func (b *builder) guardRule(t *translation, rule *ruleDescription) {
	if !t.isGuarded(rule) {
		return
	}
	for _, host := range rule.hosts {
		for _, prefix := range rule.guards {
			b.guards = append(b.guards, guard{routeKey{host: host, path: prefix, kind: model.PathPrefix}, t})
		}
	}
}

// closedBy returns t with all routes closed for that reason.
func (t *translation) closedBy(reason string) *translation {
	closed, d := *t, *t.description
	d.closed, closed.description = reason, &d
	return &closed
}

// patternPrefixes returns path prefixes that cover all matches of a pattern. at is the index of the first byte that is not
// literal. The literal text before it is a prefix. If its last segment may be incomplete, so are the segments above it.
func patternPrefixes(pattern string, at int) []string {
	if hasAlternative(pattern) {
		return []string{"/"}
	}
	literal, rest := pattern[:at], pattern[at:]
	if strings.IndexByte("?*{", rest[0]) >= 0 && literal != "" {
		literal = literal[:len(literal)-1] // the byte before these is optional
	}
	literal = strings.TrimRight(literal, ".")
	if strings.HasSuffix(literal, "/") || strings.HasPrefix(rest, "(/|$)") || strings.HasPrefix(rest, "$") {
		return guardPaths(literal)
	}
	return guardPaths(literal, literal[:strings.LastIndexByte(literal, '/')+1])
}

// hasAlternative reports whether a pattern has a "|" outside of parentheses, so that its literal start is optional.
func hasAlternative(pattern string) bool {
	depth := 0
	for i := range len(pattern) {
		switch pattern[i] {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth <= 0 {
				return true
			}
		}
	}
	return false
}

// guardPaths normalizes prefixes as paths of routes. An invalid prefix becomes "/", which covers all paths.
func guardPaths(prefixes ...string) []string {
	var out []string
	for _, prefix := range prefixes {
		text, problem := routePath(prefix, model.PathPrefix)
		if problem != "" {
			text = "/"
		}
		out = append(out, text)
	}
	return out
}

// addGuards adds the recorded closed routes where no route has the path. An open route of the same namespace with the path is
// closed, because it would serve the protected requests. A route of another namespace stays open, which is reported.
func (b *builder) addGuards() {
	for _, g := range b.guards {
		if !b.mayRoute(g.by.description, g.key, "spec.rules") {
			continue
		}
		if b.routes.take(g.key, g.by.ref) {
			b.routes.add(g.key, g.by, &ruleDescription{}, nil)
			continue
		}
		if route := b.routes.find(g.key); route != nil && route.Closed == "" {
			b.guardOpenRoute(g, route)
		}
	}
}

func (b *builder) guardOpenRoute(g guard, route *model.Route) {
	if route.Source.Namespace != g.by.ref.Namespace {
		b.reports.add(g.by.ref, ReasonProtectionNotEnforced, "spec.rules",
			"ingress-nginx treats a path of host %s as a pattern, which this version does not match. %s serves paths below %s, and "+
				"may serve paths that the pattern protects", quote(g.key.host), route.Source, quote(g.key.path))
		return
	}
	route.Closed = "a pattern of " + g.by.ref.String() + " may protect a part of it"
	b.reports.add(route.Source, ReasonProtectionNotEnforced, "spec.rules",
		"%s protects a pattern that may match below path %s of host %s: the path responds 503. To serve it unprotected, "+
			"list the protecting annotation in annotation %s of %s",
		g.by.ref, quote(g.key.path), quote(g.key.host), AnnotationUnenforced, g.by.ref)
}
