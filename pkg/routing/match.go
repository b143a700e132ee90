package routing

import (
	"bytes"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// host holds the routes of one host.
type host struct {
	model  []model.Route // the routes before compilation
	usage  []*Usage      // of each route of model
	exact  paths
	prefix paths // by path without its trailing slash: "" for "/"
	// longest is the length of the longest key of prefix. Longer parts of a path are not looked up.
	longest int
	// patterns are in the order in which they are tried.
	patterns []pathPattern
	// guard is nil if no route is protected.
	guard *guard
	// namespace is the namespace of all routes. If there are several, parts has the routes of each.
	namespace string
	parts     map[string]*host
}

// newHost compiles the routes of a host. previous is the host in the previous Table, or nil.
func (c *compiler) newHost(routes []model.Route, previous *host) *host {
	h := &host{model: routes, exact: newPaths(), prefix: newPaths()}
	h.setUsage(previous)
	for i := range routes {
		r := c.route(&routes[i])
		r.Usage = h.usage[i]
		h.add(r)
	}
	if len(routes) > 0 {
		h.split()
	}
	h.guard = newGuard(h)
	return h
}

// add adds a route after the routes of the same precedence.
func (h *host) add(r *Route) {
	switch r.PathType {
	case model.PathExact:
		h.exact.add(r.Path, r)
		return
	case model.PathPattern:
		h.addPattern(r)
		return
	}
	key := strings.TrimSuffix(r.Path, "/")
	h.prefix.add(key, r)
	h.longest = max(h.longest, len(key))
}

// Match returns the Route of a request, or nil. Within a host it tries the exact path first, then prefixes by segment, the
// longest first, with patterns as described at matchPatterns. Routes with the same path are tried in the order of
// comparePrecedence, then of the model. The first whose conditions the request meets is returned. Conditions are evaluated only
// for routes with a matching path. If req is nil, no condition is met.
//
// A path that no route of the host matches falls through from an exact host to the wildcard host, then to the routes for any
// host, if the owner of the host allows it (model.HostOwner). What is still unmatched goes to the route of model.HostUnmatched.
// The host must be in lower case, without port and trailing dot. The path must be normalized.
//
// If a server might take the path for one of a protected route, that route handles the request, see guard.go.
//
// https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches
func (t *Table) Match(name, path []byte, req Request) *Route {
	r, at := t.match(name, path, req)
	if t.guards == 0 || r == nil || t.unfolded == 0 && isPlain(path) {
		return r
	}
	return t.guarded(r, at, name, path, req)
}

// match returns the route whose path has the spelling of the request, with its level, or nil.
func (t *Table) match(name, path []byte, req Request) (*Route, level) {
	s, at := t.site(name)
	if s == nil {
		return nil, at
	}
	var owner *model.HostOwner // only its routes count
	challenge := s.owner != nil && model.IsChallenge(path)
	if challenge {
		owner = s.owner
	}
	for ; s != nil; s, at = t.above(at, name) {
		var r *Route
		switch {
		case at == levelUnmatched:
			r = s.host.match(path, req)
		case challenge:
			r = s.host.matchChallenge(owner, path, req)
		case owner != nil:
			r = s.host.of(owner.Namespace).match(path, req)
		default:
			r = s.host.match(path, req)
		}
		if r != nil {
			return r, at
		}
		if owner == nil && s.owner != nil && !s.owner.SharesUnmatched {
			owner = s.owner
		}
	}
	return nil, at
}

// each calls f for each route. Routes with the same path are in order.
func (h *host) each(f func(*Route)) {
	h.exact.all(f)
	h.prefix.all(f)
	for i := range h.patterns {
		f(h.patterns[i].Route)
	}
}

// matchChallenge returns the route of a request for an ACME challenge, or nil. Only the routes of the owner count, and the routes
// for challenges of HostOwner.ACMENamespaces.
func (h *host) matchChallenge(owner *model.HostOwner, path []byte, req Request) *Route {
	best := h.of(owner.Namespace).match(path, req)
	for _, namespace := range owner.ACMENamespaces {
		r := h.of(namespace).match(path, req)
		if r != nil && model.IsChallenge(r.Path) && (best == nil || r.isMoreSpecific(best)) {
			best = r
		}
	}
	return best
}

// isMoreSpecific reports whether r takes precedence over another route that matches the same path.
func (r *Route) isMoreSpecific(other *Route) bool {
	if exact := r.PathType == model.PathExact; exact != (other.PathType == model.PathExact) {
		return exact
	}
	return len(r.Path) > len(other.Path)
}

// match returns the route of a request, or nil. h may be nil.
func (h *host) match(path []byte, req Request) *Route {
	if h == nil {
		return nil
	}
	if len(h.exact.first) > 0 {
		if r := h.exact.match(path, req); r != nil {
			return r
		}
	}
	if len(h.patterns) > 0 {
		return h.matchPatterns(path, req)
	}
	return h.matchPrefix(path, req)
}

// matchPrefix returns the route of the longest prefix of a path, or nil.
func (h *host) matchPrefix(path []byte, req Request) *Route {
	if len(path) == 0 || path[0] != '/' { // the target of OPTIONS * represents the whole host
		return h.prefix.match(nil, req)
	}
	for prefix := cutTo(path, h.longest); ; prefix = prefix[:bytes.LastIndexByte(prefix, '/')] {
		if r := h.prefix.match(prefix, req); r != nil {
			return r
		}
		if len(prefix) == 0 {
			return nil
		}
	}
}

// cutTo returns the longest prefix of whole segments of path that has at most n bytes. It bounds the number of lookups for a
// path of thousands of segments by the segments of the routes.
func cutTo(path []byte, n int) []byte {
	if len(path) <= n {
		return path
	}
	for path[n] != '/' {
		n = max(bytes.LastIndexByte(path[:n], '/'), 0)
	}
	return path[:n]
}

// TLS returns the TLS settings of the most specific host with routes for a name: the exact host, then the wildcard host, then
// any host. It returns nil for the defaults. The name must be in lower case, without port and trailing dot.
func (t *Table) TLS(name []byte) *model.Host {
	if s, _ := t.site(name); s != nil {
		return s.tls
	}
	return nil
}

// HasPassthrough reports whether TLS connections for any host are passed through.
func (t *Table) HasPassthrough() bool { return t != nil && t.passthroughs > 0 }

// Passthrough returns the backend that receives the TLS connections of clients that name a host, without decryption. It returns
// nil if TLS is terminated. The name has the form of TLS.
func (t *Table) Passthrough(name []byte) *Backend {
	if !t.HasPassthrough() {
		return nil
	}
	if s, _ := t.site(name); s != nil {
		return s.passthrough
	}
	return nil
}

// wildcardSuffix returns "example.com" for "*.example.com".
func wildcardSuffix(name string) (string, bool) { return strings.CutPrefix(name, "*.") }
