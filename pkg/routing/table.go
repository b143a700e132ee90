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

// Table is the compiled set of all Routes. It is immutable: a request pins one Table and uses it until it ends.
type Table struct {
	// Generation counts the Tables of this process, from 1.
	Generation uint64
	BuiltAt    time.Time

	exact    map[string]*site // by host name
	wildcard map[string]*site // "*.example.com" by "example.com"
	any      *site            // routes without a host, may be nil

	usedNames *affinity.UsedNames // shared by all Tables that were compiled from each other
}

// Route is one host and path with its backends.
type Route struct {
	Host     string
	Path     string
	PathType model.PathType
	Source   model.Ref
	Backends []Backend
	// Closed is true if all requests of the route get a 503, regardless of Backends. A filter sends the response.
	Closed bool
	// Filters are the filters for requests and responses of the route.
	Filters filter.Chain
	// Clients are the settings for client certificates, nil if none are requested. A filter enforces them, and pods receive
	// the certificate in header fields.
	Clients *model.ClientCertificates

	// UpgradeProtocols are the protocols, besides WebSocket, to which clients may upgrade HTTP/1.1 connections.
	UpgradeProtocols []string

	// StickySplit is true if there are several Backends and the sessions of one of them keep their side.
	StickySplit bool

	weights    uint64      // sum over Backends
	canary     *canary     // may be nil
	conditions *conditions // may be nil
}

// Backend is one weighted destination of a Route.
type Backend struct {
	Pool   *upstream.Pool
	Policy *affinity.Policy
	Weight uint64
	// Transport is never nil.
	Transport *upstream.Transport
}

// Split selects the backend for a new client by weight. The number is random, or a hash of the client. If the weight of the
// last backend grows, clients with the same hash may change to it but never back. A single backend is returned regardless of
// its weight. Otherwise Split returns nil if the weights add up to zero.
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

// Store holds the current Table. The zero value is an empty Store.
type Store struct{ current atomic.Pointer[Table] }

// Current returns the current Table, nil before the first one is published.
func (s *Store) Current() *Table { return s.current.Load() }

// Publish makes t the current Table. Requests that have pinned an older Table keep it.
func (s *Store) Publish(t *Table) { s.current.Store(t) }

// Compile compiles the Table of a model. Hosts that have not changed are taken over from the previous Table, which may be
// nil. Pools are looked up in the registry, and added to it if they are missing.
func Compile(m *model.Model, pools *upstream.Registry, previous *Table, now time.Time) *Table {
	t := &Table{Generation: 1, BuiltAt: now, exact: map[string]*site{}, wildcard: map[string]*site{}}
	if previous != nil {
		t.Generation, t.usedNames = previous.Generation+1, previous.usedNames
	}
	if t.usedNames == nil {
		t.usedNames = &affinity.UsedNames{}
	}
	c := compiler{pools, t.usedNames}
	settings := make(map[string]*model.Host, len(m.Hosts))
	for i := range m.Hosts {
		settings[m.Hosts[i].Name] = &m.Hosts[i]
	}
	hosts := map[string]*host{}
	for _, routes := range byHost(m.Routes) {
		name := routes[0].Host
		hosts[name] = c.host(previous.host(name), routes, settings[name])
	}
	linker := newLinker(hosts, m.Owners)
	for name := range hosts {
		t.add(name, linker.site(name))
	}
	return t
}

// byHost splits the routes, which must be sorted by host, into one slice for each host.
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

// compiler compiles hosts. What it refers to outlives each Table.
type compiler struct {
	pools     *upstream.Registry
	usedNames *affinity.UsedNames
}

// host returns h if it was compiled from equal routes and settings, otherwise a new host. h may be nil.
func (c compiler) host(h *host, routes []model.Route, tls *model.Host) *host {
	if h == nil || !reflect.DeepEqual(h.model, routes) || !reflect.DeepEqual(h.tls, tls) {
		h = c.newHost(routes)
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

// host returns the host with a name as in the model, or nil.
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

func (c compiler) route(m *model.Route) *Route {
	r := &Route{Host: m.Host, Path: m.Path, PathType: m.PathType, Source: m.Source, canary: compileCanary(m.Canary),
		conditions: compileConditions(m.Conditions), Closed: m.Closed != "", Clients: m.Clients, Filters: compileFilters(m),
		UpgradeProtocols: m.UpgradeProtocols}
	for i := range m.Backends {
		b := c.backend(&m.Backends[i])
		r.weights += b.Weight
		r.StickySplit = r.StickySplit || b.Policy.StickySplit() && len(m.Backends) > 1
		r.Backends = append(r.Backends, b)
	}
	return r
}

func (c compiler) backend(m *model.Backend) Backend {
	pool := c.pools.Pool(m.Pool)
	return Backend{
		Pool:      pool,
		Policy:    c.usedNames.Compile(m.Affinity),
		Weight:    uint64(max(m.Weight, 0)),
		Transport: pool.Transport(m.Transport),
	}
}
