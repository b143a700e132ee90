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
	exact  map[string]*Route
	prefix map[string]*Route // by path without its trailing slash: "" for "/"
	// longest is the length of the longest key of prefix: no longer part of a path needs looking up.
	longest int
}

func newHost(routes []model.Route, pools *upstream.Registry) *host {
	h := &host{model: routes, exact: map[string]*Route{}, prefix: map[string]*Route{}}
	for i := range routes {
		r := compileRoute(&routes[i], pools)
		if r.PathType == model.PathExact {
			h.exact[r.Path] = r
			continue
		}
		key := strings.TrimSuffix(r.Path, "/")
		h.prefix[key] = r
		h.longest = max(h.longest, len(key))
	}
	return h
}

// Match finds the Route of a request: the exact host first, then the wildcard host, then the routes for any host; and
// within each the exact path, then the longest prefix by segment. A host that has no route for the path leaves it to
// the next. The host is in lower case, without port and trailing dot; the path is normalised. Nil if nothing matches.
//
// https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches
func (t *Table) Match(name, path []byte) *Route {
	if h := t.exact[string(name)]; h != nil {
		if r := h.match(path); r != nil {
			return r
		}
	}
	if dot := bytes.IndexByte(name, '.'); dot > 0 && len(t.wildcard) > 0 {
		if h := t.wildcard[string(name[dot+1:])]; h != nil {
			if r := h.match(path); r != nil {
				return r
			}
		}
	}
	if t.any != nil {
		return t.any.match(path)
	}
	return nil
}

func (h *host) match(path []byte) *Route {
	if len(h.exact) > 0 {
		if r := h.exact[string(path)]; r != nil {
			return r
		}
	}
	if len(path) == 0 || path[0] != '/' { // the target of OPTIONS * stands for the whole host
		return h.prefix[""]
	}
	for prefix := cutTo(path, h.longest); ; prefix = prefix[:bytes.LastIndexByte(prefix, '/')] {
		if r := h.prefix[string(prefix)]; r != nil {
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
	h := t.exact[string(name)]
	if dot := bytes.IndexByte(name, '.'); h == nil && dot > 0 {
		h = t.wildcard[string(name[dot+1:])]
	}
	if h == nil {
		h = t.any
	}
	if h == nil {
		return nil
	}
	return h.tls
}

// wildcardSuffix takes "*.example.com" apart.
func wildcardSuffix(name string) (string, bool) { return strings.CutPrefix(name, "*.") }
