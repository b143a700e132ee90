package routing

import (
	"math/bits"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Table is the compiled set of all Routes. It never changes: a request pins one and uses it to its end.
type Table struct {
	// Generation counts the Tables of this process, from 1.
	Generation uint64
	BuiltAt    time.Time

	exact    map[string]*site // by host name
	wildcard map[string]*site // "*.example.com" by "example.com"
	any      *site            // routes without a host, nil if there are none
}

// Route is one host and path, and where its requests go.
type Route struct {
	Host     string
	Path     string
	PathType model.PathType
	Source   model.Ref
	Backends []Backend
	// Closed says that requests of the route are denied with 503, whatever Backends there are. A filter responds.
	Closed bool
	// Filters are what the route does to requests and responses.
	Filters filter.Chain
	// Clients is what clients must show, nil for nothing. A filter sees to it; pods are told what they have shown.
	Clients *model.ClientCertificates

	// StickySplit says that there are several Backends, and that the sessions of one of them keep their side.
	StickySplit bool

	weights    uint64      // sum over Backends
	canary     *canary     // nil for none
	conditions *conditions // nil for none
}

// Backend is one weighted destination of a Route.
type Backend struct {
	Pool   *upstream.Pool
	Policy *affinity.Policy
	Weight uint64
	// Transport is never nil.
	Transport *upstream.Transport
}

// Split chooses the backend for a new client, by weight. The number is random, or one that stands for the client: as
// the weight of the last backend grows, clients change to it and never back. It returns nil if there is none.
func (r *Route) Split(random uint64) *Backend {
	if len(r.Backends) == 1 {
		return &r.Backends[0]
	}
	if r.weights == 0 {
		return nil
	}
	at, _ := bits.Mul64(random, r.weights)
	for i := range r.Backends {
		if b := &r.Backends[i]; at < b.Weight {
			return b
		}
		at -= r.Backends[i].Weight
	}
	return nil
}

// Store holds the current Table. The zero value holds none.
type Store struct{ current atomic.Pointer[Table] }

// Current returns the Table of this moment, nil before the first one was published.
func (s *Store) Current() *Table { return s.current.Load() }

// Publish makes t the current Table. Requests that have pinned another one keep it.
func (s *Store) Publish(t *Table) { s.current.Store(t) }

// Compile makes the Table of a model. Hosts whose routes are the same as in the previous Table, which may be nil, are
// taken over from it as they are. Pools are looked up in the registry, and made where they are missing.
func Compile(m *model.Model, pools *upstream.Registry, previous *Table, now time.Time) *Table {
	t := &Table{Generation: 1, BuiltAt: now, exact: map[string]*site{}, wildcard: map[string]*site{}}
	if previous != nil {
		t.Generation = previous.Generation + 1
	}
	settings := make(map[string]*model.Host, len(m.Hosts))
	for i := range m.Hosts {
		settings[m.Hosts[i].Name] = &m.Hosts[i]
	}
	hosts := map[string]*host{}
	for _, routes := range byHost(m.Routes) {
		name := routes[0].Host
		hosts[name] = previous.host(name).compiled(routes, settings[name], pools)
	}
	linker := newLinker(hosts, m.Owners)
	for name := range hosts {
		t.add(name, linker.site(name))
	}
	return t
}

// byHost cuts the routes, which are sorted by host, into one slice for each host.
func byHost(routes []model.Route) [][]model.Route {
	var hosts [][]model.Route
	for start := 0; start < len(routes); {
		end := start + 1
		for end < len(routes) && routes[end].Host == routes[start].Host {
			end++
		}
		hosts = append(hosts, routes[start:end])
		start = end
	}
	return hosts
}

// compiled returns h, which may be nil, if it was compiled from the same, otherwise a new host.
func (h *host) compiled(routes []model.Route, tls *model.Host, pools *upstream.Registry) *host {
	if h == nil || !reflect.DeepEqual(h.model, routes) || !reflect.DeepEqual(h.tls, tls) {
		h = newHost(routes, pools)
		h.tls = tls
	}
	return h
}

func (t *Table) add(name string, s *site) {
	if suffix, ok := wildcardSuffix(name); ok {
		t.wildcard[suffix] = s
		return
	}
	if name == "" {
		t.any = s
		return
	}
	t.exact[name] = s
}

// host returns the routes of a host as the model names it, nil if there are none.
func (t *Table) host(name string) *host {
	if t == nil {
		return nil
	}
	s := t.any
	if suffix, ok := wildcardSuffix(name); ok {
		s = t.wildcard[suffix]
	} else if name != "" {
		s = t.exact[name]
	}
	if s == nil {
		return nil
	}
	return s.host
}

func compileRoute(m *model.Route, pools *upstream.Registry) *Route {
	r := &Route{Host: m.Host, Path: m.Path, PathType: m.PathType, Source: m.Source, canary: compileCanary(m.Canary),
		conditions: compileConditions(m.Conditions), Closed: m.Closed != "", Clients: m.Clients, Filters: compileFilters(m)}
	for i := range m.Backends {
		b := compileBackend(&m.Backends[i], pools)
		r.weights += b.Weight
		r.StickySplit = r.StickySplit || b.Policy.StickySplit() && len(m.Backends) > 1
		r.Backends = append(r.Backends, b)
	}
	return r
}

func compileBackend(m *model.Backend, pools *upstream.Registry) Backend {
	pool := pools.Pool(m.Pool)
	return Backend{
		Pool:      pool,
		Policy:    affinity.Compile(m.Affinity),
		Weight:    uint64(max(m.Weight, 0)),
		Transport: pool.Transport(m.Transport),
	}
}
