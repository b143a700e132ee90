package routing

import "slices"

// paths holds the routes of a host by path. Routes with the same path are in order of precedence. The first is stored
// separately, because most paths have only one route.
type paths struct {
	first map[string]*Route
	rest  map[string][]*Route // may be nil
}

func newPaths() paths { return paths{first: map[string]*Route{}} }

// add adds a route after the routes of the same precedence.
func (p *paths) add(path string, r *Route) {
	first := p.first[path]
	if first == nil {
		p.first[path] = r
		return
	}
	if p.rest == nil {
		p.rest = map[string][]*Route{}
	}
	rest := p.rest[path]
	at := len(rest)
	if comparePrecedence(r, first) < 0 {
		p.first[path], r, at = r, first, 0
	}
	for at > 0 && comparePrecedence(r, rest[at-1]) < 0 {
		at--
	}
	p.rest[path] = slices.Insert(rest, at, r)
}

// all calls f for each route. Routes with the same path are in order.
func (p *paths) all(f func(*Route)) {
	for path, first := range p.first {
		f(first)
		for _, r := range p.rest[path] {
			f(r)
		}
	}
}

// match returns the first route of a path whose conditions the request meets, or nil.
func (p *paths) match(path []byte, req Request) *Route {
	r := p.first[string(path)]
	if r == nil || r.conditions == nil {
		return r
	}
	return p.matchConditions(r, path, req)
}

func (p *paths) matchConditions(first *Route, path []byte, req Request) *Route {
	if first.conditions.match(req) {
		return first
	}
	for _, r := range p.rest[string(path)] {
		if r.conditions.match(req) {
			return r
		}
	}
	return nil
}
