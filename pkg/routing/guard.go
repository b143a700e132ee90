package routing

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// A path has many spellings, and servers differ in which of them they take for the same path. Matching compares the normalized
// path only. Therefore a request could reach a pod by the route of "/", although the pod takes its path for "/admin", whose
// route requires authentication. The guard of a table finds the route for which other spellings of the path would be, and has
// it handle the request if it protects the pod.

// guard finds the routes of a host for folded paths.
type guard struct {
	exact  paths // by folded path without its trailing slash
	prefix paths // by folded path without its trailing slash
	// longest is the length of the longest key of prefix.
	longest int
	// isFolded is true if folding changes no path of a protected route. A plain path then is no other spelling of one.
	isFolded bool
}

// newGuard returns the guard of a host, nil if no route is protected. Among routes with the same folded path, the protected one
// comes first.
func newGuard(h *host) *guard {
	var protected, others []*Route
	h.each(func(r *Route) {
		if r.isProtected {
			protected = append(protected, r)
		} else {
			others = append(others, r)
		}
	})
	if len(protected) == 0 {
		return nil
	}
	g := &guard{exact: newPaths(), prefix: newPaths(), isFolded: true}
	for _, list := range [][]*Route{protected, others} {
		for _, r := range list {
			g.add(r)
		}
	}
	return g
}

func (g *guard) add(r *Route) {
	key := string(trimSlash(fold(nil, []byte(r.Path)).text))
	switch r.PathType {
	case model.PathExact:
		g.isFolded = g.isFolded && (!r.isProtected || key == r.Path || r.Path == "/")
		g.exact.add(key, r)
	case model.PathPrefix:
		g.isFolded = g.isFolded && (!r.isProtected || key == strings.TrimSuffix(r.Path, "/"))
		g.prefix.add(key, r)
		g.longest = max(g.longest, len(key))
	}
}

func trimSlash(path []byte) []byte { return bytes.TrimSuffix(path, slash) }

var slash = []byte("/")

// matchFolded returns the route for a folded path, or nil. h must have a guard.
func (h *host) matchFolded(text []byte, req Request) *Route {
	if r := h.guard.exact.match(trimSlash(text), req); r != nil {
		return r
	}
	var best *Route
	for prefix := cutTo(trimSlash(text), h.guard.longest); best == nil; prefix = prefix[:bytes.LastIndexByte(prefix, '/')] {
		if best = h.guard.prefix.match(prefix, req); len(prefix) == 0 {
			break
		}
	}
	if len(h.patterns) == 0 {
		return best
	}
	return h.bestPattern(text, best, req)
}

// guarded returns the route that handles a request instead of matched, which is a route of the given level for its path. Only
// hosts down to that level count, because other hosts would not match the path in its plain spelling either.
func (t *Table) guarded(matched *Route, at level, name, path []byte, req Request) *Route {
	var space [textSpace]byte
	var f folded
	plain := isPlain(path)
	for from := range at + 1 {
		s := t.siteAt(from, name)
		if s == nil || s.guard == nil || plain && s.guard.isFolded {
			continue
		}
		if f.text == nil {
			f = fold(space[:0], path)
		}
		if f.hasDots {
			return ambiguousPath
		}
		if other := s.matchFolded(f.text, req); other.isMeant(matched, path) {
			return other.instead(matched)
		}
		if f.cut == len(f.text) {
			continue
		}
		if other := s.matchFolded(f.text[:f.cut], req); other.isMeant(matched, path) {
			return other.instead(matched)
		}
	}
	return matched
}

// isMeant reports whether a server might take path for one of r, which is protected in another way than the matched route. r
// may be nil.
func (r *Route) isMeant(matched *Route, path []byte) bool {
	switch {
	case r == nil || r == matched || !r.isProtected:
		return false
	case matched.isProtected && r.Source == matched.Source && r.Closed == matched.Closed:
		return false // the protection is the same
	case r.PathType == matched.PathType && r.hasSpelling(matched.Path):
		return false // the author distinguishes the spellings
	}
	return r.Closed || r.sharesPool(matched) || r.covers(path)
}

// hasSpelling reports whether the path of r is another spelling of path.
func (r *Route) hasSpelling(path string) bool {
	return bytes.Equal(fold(nil, []byte(r.Path)).text, fold(nil, []byte(path)).text)
}

// covers reports whether ingress-nginx would take path for one of r: it decodes paths and merges slashes.
func (r *Route) covers(path []byte) bool {
	if r.PathType == model.PathPattern {
		return true
	}
	own, text := trimSlash(pattern.PathText(nil, []byte(r.Path))), pattern.PathText(nil, path)
	rest, isBelow := bytes.CutPrefix(text, own)
	if r.PathType == model.PathExact {
		return isBelow && len(rest) == 0
	}
	return isBelow && (len(rest) == 0 || rest[0] == '/')
}

// sharesPool reports whether two routes have a pool in common.
func (r *Route) sharesPool(other *Route) bool {
	for i := range r.Backends {
		for j := range other.Backends {
			if r.Backends[i].Pool == other.Backends[j].Pool {
				return true
			}
		}
	}
	return false
}

// instead returns the route that handles a request for matched. If both are protected, the request would have to meet the
// requirements of both.
func (r *Route) instead(matched *Route) *Route {
	if matched.isProtected {
		return ambiguousPath
	}
	return r
}

// ambiguousPath refuses a path whose meaning depends on the server.
var ambiguousPath = refusing(filter.NewText(http.StatusBadRequest,
	"The request is refused: some servers take its path for a protected one.").Closing())
