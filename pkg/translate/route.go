package translate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// routeKey is what no two Routes share.
type routeKey struct {
	host string
	path string
	kind model.PathType
	// conditions is the text of the conditions; empty: there are none.
	conditions string
}

// keyOf returns the key of a rule on one of its hosts.
func keyOf(rule *ruleDescription, host string) routeKey {
	key := routeKey{host: host, path: rule.path, kind: rule.pathType}
	if rule.conditions != nil {
		key.conditions = fmt.Sprintf("%q", *rule.conditions)
	}
	return key
}

// String returns a route for messages.
func (k routeKey) String() string {
	text := fmt.Sprintf("host %s, path %s, %s", quote(k.host), quote(k.path), k.kind)
	if k.conditions != "" {
		text += " with these conditions"
	}
	return text
}

// routes collects the Routes of one Build, those of older objects first.
type routes struct {
	list  []model.Route
	taken map[routeKey]model.Ref
	at    map[routeKey]int // index in list
}

// take reports whether the key was free. From then on it belongs to the first who took it.
func (r *routes) take(key routeKey, owner model.Ref) bool {
	if _, taken := r.taken[key]; taken {
		return false
	}
	r.taken[key] = owner
	return true
}

// add adds a route of an object. The rule is where its conditions and limits are from.
func (r *routes) add(key routeKey, t *translation, rule *ruleDescription, backends []model.Backend) {
	route := model.Route{
		Host: key.host, Path: key.path, PathType: key.kind, Conditions: rule.conditions, Source: t.ref,
		Backends: backends, Closed: t.closed, Limits: cmp.Or(rule.limits, t.limits),
	}
	r.at[key] = len(r.list)
	r.list = append(r.list, route)
}

// find gives the route of that key, nil if there is none. It is not to be used after another one was added.
func (r *routes) find(key routeKey) *model.Route {
	if i, ok := r.at[key]; ok {
		return &r.list[i]
	}
	return nil
}

// sorted keeps the order of age among routes that differ in their conditions only.
func (r *routes) sorted() []model.Route {
	slices.SortStableFunc(r.list, func(a, b model.Route) int {
		return cmp.Or(
			cmp.Compare(a.Host, b.Host), cmp.Compare(a.Path, b.Path), cmp.Compare(a.PathType, b.PathType))
	})
	return r.list
}
