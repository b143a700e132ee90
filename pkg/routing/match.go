package routing

import (
	"bytes"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// host is the routes of one host.
type host struct {
	model  []model.Route // what it was compiled from
	tls    *model.Host   // nil: as for all hosts
	exact  paths
	prefix paths // by path without its trailing slash: "" for "/"
	// longest is the length of the longest key of prefix: no longer part of a path needs looking up.
	longest int
}

func newHost(routes []model.Route, pools *upstream.Registry) *host {
	h := &host{model: routes, exact: newPaths(), prefix: newPaths()}
	for i := range routes {
		h.add(compileRoute(&routes[i], pools))
	}
	return h
}

// add adds a route, which comes after those of the same precedence.
func (h *host) add(r *Route) {
	if r.PathType == model.PathExact {
		h.exact.add(r.Path, r)
		return
	}
	key := strings.TrimSuffix(r.Path, "/")
	h.prefix.add(key, r)
	h.longest = max(h.longest, len(key))
}

// Match returns the Route of a request, nil if nothing matches. Within a host the exact path comes first, then the longest
// prefix by segment. Of several routes for one path the first is taken whose conditions the request meets, in the order of
// comparePrecedence, then of the model. If it meets none, the next shorter prefix follows. Conditions are evaluated for
// routes with a matching path only. req may be nil if no route has conditions: otherwise no condition holds.
//
// A path that no route of the host matches falls through from an exact host to the wildcard host, then to the routes for any
// host, as far as the owner of the host allows (model.HostOwner). The host is in lower case, without port and trailing dot;
// the path is normalised.
//
// https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches
func (t *Table) Match(name, path []byte, req Request) *Route {
	s := t.site(name)
	if s != nil && s.owned != nil && isChallenge(path) {
		s = s.owned
	}
	for ; s != nil; s = s.next {
		if r := s.match(path, req); r != nil {
			return r
		}
	}
	return nil
}

// site returns the most specific site for a name: of the exact host, else of the wildcard host, else of any host. Nil:
// there is none.
func (t *Table) site(name []byte) *site {
	if s := t.exact[string(name)]; s != nil {
		return s
	}
	if dot := bytes.IndexByte(name, '.'); dot > 0 && len(t.wildcard) > 0 {
		if s := t.wildcard[string(name[dot+1:])]; s != nil {
			return s
		}
	}
	return t.any
}

func (h *host) match(path []byte, req Request) *Route {
	if len(h.exact.first) > 0 {
		if r := h.exact.match(path, req); r != nil {
			return r
		}
	}
	if len(path) == 0 || path[0] != '/' { // the target of OPTIONS * stands for the whole host
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

// cutTo returns the longest run of whole segments of path that is at most n bytes long, so that a path of thousands
// of segments costs no more look-ups than the routes have.
func cutTo(path []byte, n int) []byte {
	if len(path) <= n {
		return path
	}
	for path[n] != '/' {
		n = max(bytes.LastIndexByte(path[:n], '/'), 0)
	}
	return path[:n]
}

// TLS gives what the TLS connections of the host must be like that has the routes for this name: the exact host, else
// the wildcard host, else any host. Nil is as for all hosts. The name is in lower case, without port and trailing dot.
func (t *Table) TLS(name []byte) *model.Host {
	if s := t.site(name); s != nil {
		return s.tls
	}
	return nil
}

// wildcardSuffix takes "*.example.com" apart.
func wildcardSuffix(name string) (string, bool) { return strings.CutPrefix(name, "*.") }
