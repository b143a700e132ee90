package admin

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// filterNames are the parameters of /debug/table.
var filterNames = []string{"host", "namespace", "ingress", "pool"}

// filter selects what /debug/table lists. Empty fields select everything. It remembers the pools and objects of the
// selected routes, so routes must be selected first.
type filter struct {
	host, namespace, ingress, pool string

	pools   map[model.PoolID]bool
	objects map[model.Ref]bool
}

func parseFilter(query string) (*filter, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	for name, all := range values {
		if !slices.Contains(filterNames, name) || len(all) > 1 {
			return nil, fmt.Errorf("query parameter %q: each of %s is allowed once", name, strings.Join(filterNames, ", "))
		}
	}
	return &filter{
		host: strings.ToLower(values.Get("host")), namespace: values.Get("namespace"), ingress: values.Get("ingress"),
		pool: values.Get("pool"), pools: map[model.PoolID]bool{}, objects: map[model.Ref]bool{},
	}, nil
}

// selectRoute reports whether the route is listed, and remembers its pools and its object.
func (f *filter) selectRoute(r *model.Route) bool {
	if f.host != "" && r.Host != f.host || !f.hasObject(r.Source) {
		return false
	}
	if f.pool != "" && !slices.ContainsFunc(r.Backends, func(b model.Backend) bool { return b.Pool.String() == f.pool }) {
		return false
	}
	if !f.dependsOnRoutes() {
		return true
	}
	f.objects[r.Source] = true
	for i := range r.Backends {
		f.pools[r.Backends[i].Pool] = true
	}
	return true
}

// dependsOnRoutes reports whether the routes decide which pools or problems are listed.
func (f *filter) dependsOnRoutes() bool { return f.host != "" || f.ingress != "" || f.pool != "" }

// hasObject reports whether the object is in the namespace and is the Ingress.
func (f *filter) hasObject(object model.Ref) bool {
	if f.namespace != "" && object.Namespace != f.namespace {
		return false
	}
	return f.ingress == "" || object.Kind == "Ingress" && object.Name == f.ingress
}

// hasPool reports whether the pool is listed.
func (f *filter) hasPool(id model.PoolID) bool {
	switch {
	case f.pool != "" && id.String() != f.pool, f.namespace != "" && id.Namespace != f.namespace:
		return false
	case f.host != "" || f.ingress != "":
		return f.pools[id]
	}
	return true
}

// hasProblem reports whether the problem is listed. With a host or pool, it must be about the object of a listed route.
func (f *filter) hasProblem(problem any) bool {
	if f.namespace == "" && !f.dependsOnRoutes() {
		return true
	}
	about, ok := problem.(objectOf)
	if !ok || !f.hasObject(about.Object()) {
		return false
	}
	return f.host == "" && f.pool == "" || f.objects[about.Object()]
}
