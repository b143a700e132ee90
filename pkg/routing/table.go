package routing

import (
	"math/bits"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/shards"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Table is the compiled set of all Routes. It is immutable: a request pins one Table and uses it until it ends.
type Table struct {
	// Generation counts the Tables of this process, from 1.
	Generation uint64
	BuiltAt    time.Time

	exact    shards.Map[*site] // by host name
	wildcard shards.Map[*site] // "*.example.com" by "example.com"
	any      *site             // routes without a host, may be nil
	// unmatched has the route for requests that no other route matches. It may be nil.
	unmatched *site
	guards    int // number of hosts with a guard
	unfolded  int // number of them that are not folded, see guard.isFolded
	// passthroughs is the number of hosts whose TLS connections are passed through.
	passthroughs int
	digests      uint64 // sum of site.digest over all hosts

	usedNames *affinity.UsedNames // shared by all Tables that follow from each other
}

// Route is one host and path with its backends.
type Route struct {
	// Route is the route of the model. Callers must not modify it.
	*model.Route
	Backends []Backend
	// Fallback serves the requests when no backend has endpoints. It may be nil.
	Fallback *Backend
	// ErrorPages replaces responses of some statuses. It may be nil.
	ErrorPages *filter.ErrorPages
	// Closed is true if all requests of the route get a 503, regardless of Backends. A filter sends the response.
	Closed bool
	// Filters are the filters for requests and responses of the route.
	Filters filter.Chain
	// Usage counts the requests of the route. It is nil for routes that Limpet adds.
	Usage *Usage
	// StickySplit is true if there are several Backends and the sessions of one of them keep their side.
	StickySplit bool

	weights    uint64      // sum over Backends
	canary     *canary     // may be nil
	conditions *conditions // may be nil
	// isProtected is true if a filter restricts access to the route alone.
	isProtected bool
}

// Backend is one weighted destination of a Route.
type Backend struct {
	Pool   *upstream.Pool
	Policy *affinity.Policy
	Weight uint64
	// Transport is never nil.
	Transport *upstream.Transport
	// Ejection is never nil.
	Ejection *model.Ejection
	// RequestLimits bounds the active requests. Nil sets no bound.
	RequestLimits *model.RequestLimits
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
// nil. Pools are looked up in the registry, and added to it if they are missing. Compile compares all hosts. A caller that
// knows what changed uses Table.With.
func Compile(m *model.Model, pools *upstream.Registry, previous *Table, now time.Time) *Table {
	changes := map[string]*model.HostChange{}
	for _, routes := range byHost(m.Routes) {
		changes[routes[0].Host] = &model.HostChange{Name: routes[0].Host, Routes: routes}
	}
	for i := range m.Hosts {
		if c := changes[m.Hosts[i].Name]; c != nil {
			c.Settings = &m.Hosts[i]
		}
	}
	for i := range m.Owners {
		if c := changes[m.Owners[i].Host]; c != nil {
			c.Owner = &m.Owners[i]
		}
	}
	previous.each(func(name string, _ *site) {
		if changes[name] == nil {
			changes[name] = &model.HostChange{Name: name}
		}
	})
	t := previous.next(now)
	e := t.edit()
	for name, c := range changes {
		h := previous.host(name)
		if h == nil || !reflect.DeepEqual(h.model, c.Routes) {
			h = e.compiler(pools).newHost(c.Routes, h)
		}
		e.set(c, h, pools)
	}
	e.done()
	return t
}

// With returns the next Table, in which these hosts have changed. All other hosts are taken over without a comparison. t may
// be nil. Pools are looked up as in Compile.
func (t *Table) With(changes []model.HostChange, pools *upstream.Registry, now time.Time) *Table {
	next := t.next(now)
	e := next.edit()
	for i := range changes {
		c := &changes[i]
		h := t.host(c.Name)
		if h == nil || !sameSlice(h.model, c.Routes) {
			h = e.compiler(pools).newHost(c.Routes, h)
		}
		e.set(c, h, pools)
	}
	e.done()
	return next
}

// sameSlice reports whether two slices of routes are the same memory.
func sameSlice(a, b []model.Route) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// next returns a copy of t, which may be nil, with the next generation.
func (t *Table) next(now time.Time) *Table {
	next := &Table{Generation: 1, BuiltAt: now}
	if t == nil {
		next.usedNames = &affinity.UsedNames{}
	} else {
		next.Generation, next.any, next.unmatched, next.usedNames = t.Generation+1, t.any, t.unmatched, t.usedNames
		next.exact, next.wildcard = t.exact, t.wildcard
		next.guards, next.unfolded, next.passthroughs, next.digests = t.guards, t.unfolded, t.passthroughs, t.digests
	}
	return next
}

// tableEdit changes the hosts of a Table that is not published yet.
type tableEdit struct {
	*Table
	exact, wildcard *shards.Edit[*site]
}

func (t *Table) edit() *tableEdit {
	return &tableEdit{Table: t, exact: t.exact.Edit(), wildcard: t.wildcard.Edit()}
}

func (e *tableEdit) done() { e.Table.exact, e.Table.wildcard = e.exact.Map(), e.wildcard.Map() }

// set sets the site of a host. A host without routes is removed.
func (e *tableEdit) set(c *model.HostChange, h *host, pools *upstream.Registry) {
	var s *site
	if len(c.Routes) > 0 {
		s = &site{host: h, tls: c.Settings, owner: c.Owner, digest: digestOf(c)}
		if c.Settings != nil && c.Settings.Passthrough != nil {
			backend := e.compiler(pools).backend(c.Settings.Passthrough)
			s.passthrough = &backend
		}
	}
	e.countGuard(e.named(c.Name), -1)
	e.countGuard(s, 1)
	e.passthroughs += countPassthroughs(s) - countPassthroughs(e.named(c.Name))
	e.digests += s.digestOrZero() - e.named(c.Name).digestOrZero()
	suffix, isWildcard := wildcardSuffix(c.Name)
	switch {
	case c.Name == "":
		e.any = s
	case c.Name == model.HostUnmatched:
		e.unmatched = s
	case isWildcard:
		setOrDelete(e.wildcard, suffix, s)
	default:
		setOrDelete(e.exact, c.Name, s)
	}
}

// countGuard adds n to the counts of guards for the guard of a site, if it has one. s may be nil.
func (t *Table) countGuard(s *site, n int) {
	if s == nil || s.host == nil || s.guard == nil {
		return
	}
	t.guards += n
	if !s.guard.isFolded {
		t.unfolded += n
	}
}

// countPassthroughs returns 1 for a site whose TLS connections are passed through.
func countPassthroughs(s *site) int {
	if s == nil || s.passthrough == nil {
		return 0
	}
	return 1
}

func setOrDelete(e *shards.Edit[*site], key string, s *site) {
	if s == nil {
		e.Delete(key)
		return
	}
	e.Set(key, s)
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

// compiler returns the compiler for a host of t.
func (t *Table) compiler(pools *upstream.Registry) *compiler {
	return &compiler{pools: pools, usedNames: t.usedNames}
}

// each calls f for each host by its name in the model. t may be nil.
func (t *Table) each(f func(name string, s *site)) {
	if t == nil {
		return
	}
	t.exact.All(f)
	t.wildcard.All(func(suffix string, s *site) { f("*."+suffix, s) })
	if t.any != nil {
		f("", t.any)
	}
	if t.unmatched != nil {
		f(model.HostUnmatched, t.unmatched)
	}
}

// host returns the host with a name as in the model, or nil. t may be nil.
func (t *Table) host(name string) *host {
	if t == nil {
		return nil
	}
	if s := t.named(name); s != nil {
		return s.host
	}
	return nil
}

// named returns the site with a name as in the model, or nil.
func (t *Table) named(name string) *site {
	switch name {
	case "":
		return t.any
	case model.HostUnmatched:
		return t.unmatched
	}
	var s *site
	if suffix, ok := wildcardSuffix(name); ok {
		s, _ = t.wildcard.Get(suffix)
	} else {
		s, _ = t.exact.Get(name)
	}
	return s
}
