package dashboard

import (
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// route is the JSON form of a route in the list.
type route struct {
	Host     string `json:"host"`
	Path     string `json:"path"`
	PathType string `json:"pathType"`
	// Source is the object that has the route.
	Source   model.Ref `json:"source"`
	Backends []backend `json:"backends"`
	// Filters are the names of the settings that change or restrict requests and responses.
	Filters []string `json:"filters"`
	// Closed is why all requests get 503. It is empty if the route is open.
	Closed string `json:"closed,omitempty"`
	// IsConditional reports whether requests must meet further conditions, such as a header.
	IsConditional bool `json:"conditional,omitempty"`
	// Requests counts the requests of the route in this replica. LastUsed is the time of the last one.
	Requests uint64    `json:"requests"`
	LastUsed time.Time `json:"lastUsed,omitzero"`
}

// backend is the JSON form of a destination.
type backend struct {
	Pool   string `json:"pool"`
	Weight int32  `json:"weight"`
	// Affinity is the object that configures stickiness. Nil means none.
	Affinity *model.Ref `json:"affinity,omitempty"`
}

func (d *Dashboard) routes(values url.Values) (any, error) {
	q, err := parseQuery(values, "host")
	if err != nil {
		return nil, err
	}
	all := d.states.get().Routes
	var selected []*model.Route
	for i := range all {
		r := &all[i]
		if q.selects(r.Source.Namespace) && q.matches(r.Host+r.Path, r.Source.Namespace+"/"+r.Source.Name) {
			selected = append(selected, r)
		}
	}
	return paginate(q, selected, d.describeRoute), nil
}

func (d *Dashboard) describeRoute(r *model.Route) route {
	out := route{Host: r.Host, Path: r.Path, PathType: string(r.PathType), Source: r.Source, Backends: []backend{},
		Filters: filtersOf(r), Closed: r.Closed, IsConditional: r.Conditions != nil}
	requests, last := d.options.Usage(r)
	if out.Requests = requests; last > 0 {
		out.LastUsed = time.Unix(last, 0).UTC()
	}
	for i := range r.Backends {
		b := &r.Backends[i]
		described := backend{Pool: b.Pool.String(), Weight: b.Weight}
		if b.Affinity != nil {
			described.Affinity = &b.Affinity.Source
		}
		out.Backends = append(out.Backends, described)
	}
	return out
}

// filtersOf returns the names of the filters and restrictions of a route, as /debug/table has them.
func filtersOf(r *model.Route) []string {
	names := []string{}
	if r.Clients != nil {
		names = append(names, "clients")
	}
	if r.Canary != nil {
		names = append(names, "canary")
	}
	if r.Filters == nil {
		return names
	}
	filters := reflect.ValueOf(r.Filters).Elem()
	for i := range filters.NumField() {
		if !filters.Field(i).IsNil() {
			name, _, _ := strings.Cut(filters.Type().Field(i).Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}
