package translate

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// routeKey identifies a Route.
type routeKey struct {
	host string
	path string
	kind model.PathType
	// conditions is the text of the conditions. Empty means that the route has no conditions.
	conditions string
}

// keyOf returns the key of a rule for one of its hosts.
func keyOf(rule *ruleDescription, host string) routeKey {
	key := routeKey{host: host, path: rule.path, kind: rule.pathType}
	if rule.conditions != nil {
		key.conditions = fmt.Sprintf("%q", *rule.conditions)
	}
	return key
}

// String describes the route for messages.
func (k routeKey) String() string {
	text := fmt.Sprintf("host %s, path %s, %s", quote(k.host), quote(k.path), k.kind)
	if k.conditions != "" {
		text += " with the same conditions"
	}
	return text
}

// routes collects the Routes of one Build. Routes of older objects come first.
type routes struct {
	list  []model.Route
	taken map[routeKey]model.Ref
	at    map[routeKey]int // index in list
}

// take assigns a key to an object, and reports whether it was free.
func (r *routes) take(key routeKey, owner model.Ref) bool {
	if _, taken := r.taken[key]; taken {
		return false
	}
	r.taken[key] = owner
	return true
}

// add adds a route of an object, with the conditions and limits of the rule.
func (r *routes) add(key routeKey, t *translation, rule *ruleDescription, backends []model.Backend) {
	filters := withAccess(cmp.Or(rule.filters, t.filters), t.access)
	if rule.isBelow(t.paths.unauthenticated) {
		filters = withoutAuthentication(filters)
	}
	route := model.Route{
		Host: key.host, Path: key.path, PathType: key.kind, Conditions: rule.conditions, Source: t.ref,
		Backends: backends, Closed: t.closed, Limits: cmp.Or(rule.limits, t.limits),
		Filters: filters, UpgradeProtocols: t.upgrades, Fallback: t.fallback, IsUnlogged: t.isUnlogged,
	}
	r.append(key, route)
}

func (r *routes) append(key routeKey, route model.Route) {
	r.at[key] = len(r.list)
	r.list = append(r.list, route)
}

// find returns the route with that key, or nil. The pointer is valid until the next call of add.
func (r *routes) find(key routeKey) *model.Route {
	if i, ok := r.at[key]; ok {
		return &r.list[i]
	}
	return nil
}

// sorted returns the routes by host, path and type. Routes that only differ in their conditions stay in order of age.
func (r *routes) sorted() []model.Route {
	slices.SortStableFunc(r.list, func(a, b model.Route) int {
		return cmp.Or(
			cmp.Compare(a.Host, b.Host), cmp.Compare(a.Path, b.Path), cmp.Compare(a.PathType, b.PathType))
	})
	return r.list
}
