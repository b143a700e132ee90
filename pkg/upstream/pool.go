package upstream

import (
	"cmp"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Pool contains the live endpoints of one Service port. Routing tables refer to it, and it outlives them.
type Pool struct {
	ID model.PoolID
	// Name is the ID as text. It is used in logs.
	Name string
	// Slot is a small number, unique in the Registry. Other packages index their per-pool state by it.
	Slot int

	// Read and updated by requests without a lock.
	set        atomic.Pointer[Set]
	roundRobin atomic.Uint64
	// subrequests counts the requests of Limpet's own, which take turns.
	subrequests atomic.Uint64

	// Guarded by mu, which also serializes replacements of set.
	mu sync.Mutex
	// changed is closed when the set is replaced. It is nil if no goroutine waits.
	changed chan struct{}
	// transports are all Transports that any table has used for the pool. There are few, because they change as rarely
	// as a certificate authority.
	transports map[model.Transport]*Transport
	// wasPopulated reports whether the pool has had endpoints. Later endpoints are new and start slowly.
	wasPopulated bool
	// marked are the IDs of the ready endpoints that drain because of marks.
	marked map[string]bool
	// ejections are the endpoints that are ejected, or were and may be again. It is nil before the first one.
	ejections map[stateKey]*ejection

	// Safe for concurrent use by themselves.
	moveLimiter    moveLimiter                    // for rebalancing
	handoffLimiter moveLimiter                    // for handoffs
	replays        atomic.Int64                   // active requests that were sent a second time
	lastRemoval    atomic.Int64                   // see LastRemoval
	ejectionCounts atomic.Pointer[ejectionCounts] // nil before the first ejection

	registry *Registry // immutable
}

func newPool(id model.PoolID, slot int, r *Registry) *Pool {
	p := &Pool{ID: id, Name: id.String(), Slot: slot, registry: r}
	p.set.Store(newSet(nil, p))
	return p
}

// Set returns the current endpoints.
func (p *Pool) Set() *Set { return p.set.Load() }

// Changed returns a channel that is closed at the next change of the endpoints.
func (p *Pool) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// Replace sets the endpoints of the pool. It keeps the connections and counts of endpoints that stay. It reports
// whether anything changed. Removed endpoints, and those that are not ready, complete their active requests.
func (p *Pool) Replace(endpoints []model.Endpoint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replace(endpoints)
}

// replace does what Replace says. p.mu must be held.
func (p *Pool) replace(endpoints []model.Endpoint) bool {
	endpoints = p.withEjections(p.withMarks(endpoints))
	if p.hasSameEndpoints(endpoints) {
		return false
	}
	endpoints, notReady := splitReadiness(endpoints)
	now := time.Now().Unix()
	previous := p.Set()
	known, next := statesOf(previous), make(map[stateKey]*endpointState, len(endpoints))
	members := make([]*Endpoint, len(endpoints))
	for i, e := range endpoints {
		key := stateKeyOf(&e)
		if next[key] == nil {
			next[key] = p.reuseState(known[key], e.State, now)
		}
		members[i] = &Endpoint{Endpoint: e, endpointState: next[key]}
	}
	p.wasPopulated = p.wasPopulated || len(endpoints) > 0
	set := newSet(members, p)
	set.notReady = notReady
	p.keepEjected(set, known, next)
	set.prepare(previous)
	set.removed = removedAfter(previous, next)
	p.set.Store(set)
	if retireMissing(known, next) {
		p.lastRemoval.Store(now)
	}
	p.broadcast()
	return true
}

// broadcast wakes the goroutines that wait for a change. p.mu must be held.
func (p *Pool) broadcast() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// reuseState returns the state of an endpoint, which was e or is new if e is nil. It records when the EndpointState changed.
// Endpoints that are ready in the first non-empty set are not new.
func (p *Pool) reuseState(e *endpointState, state model.EndpointState, now int64) *endpointState {
	isDraining := state == model.EndpointDraining
	switch {
	case e == nil:
		e = &endpointState{}
		e.live.Store(p.registry.unused)
		e.flags.set(flagDraining, isDraining)
		if isDraining || p.wasPopulated {
			e.stateSince.Store(now)
		}
	case e.flags.has(flagDraining) != isDraining:
		e.flags.set(flagDraining, isDraining)
		e.stateSince.Store(now)
		e.endDrain()
	}
	return e
}

// retire is called when no table refers to the pool. The set stays for requests that use an older table.
func (p *Pool) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	retireMissing(statesOf(p.Set()), nil)
}

// stateKey is the key by which an endpoint keeps its connections and counts.
type stateKey struct{ id, address string }

func (k stateKey) compare(other stateKey) int {
	return cmp.Or(cmp.Compare(k.id, other.id), cmp.Compare(k.address, other.address))
}

func stateKeyOf(e *model.Endpoint) stateKey { return stateKey{e.ID, e.Address} }

// statesOf returns the states of the endpoints of a Set, including those that are ejected.
func statesOf(s *Set) map[stateKey]*endpointState {
	states := make(map[stateKey]*endpointState, s.Len())
	for _, e := range s.endpoints {
		states[stateKeyOf(&e.Endpoint)] = e.endpointState
	}
	for _, e := range s.Ejected() {
		states[stateKeyOf(&e.Endpoint)] = e.endpointState
	}
	return states
}

// retireMissing retires the endpoints that are not in next, and reports whether there are any.
func retireMissing(previous, next map[stateKey]*endpointState) (found bool) {
	for key, l := range previous {
		if next[key] == nil {
			l.retire()
			found = true
		}
	}
	return found
}

// LastRemoval returns the time at which an endpoint last left the pool, in Unix seconds. It is zero if none has.
func (p *Pool) LastRemoval() int64 { return p.lastRemoval.Load() }

func (p *Pool) hasSameEndpoints(endpoints []model.Endpoint) bool {
	current, notReady := p.Set().Endpoints(), p.Set().NotReady()
	if len(current)+len(notReady) != len(endpoints) {
		return false
	}
	have := make(map[stateKey]*model.Endpoint, len(endpoints))
	for _, e := range current {
		have[stateKeyOf(&e.Endpoint)] = &e.Endpoint
	}
	for i := range notReady {
		have[stateKeyOf(&notReady[i])] = &notReady[i]
	}
	for i := range endpoints {
		if e := have[stateKeyOf(&endpoints[i])]; e == nil || !reflect.DeepEqual(e, &endpoints[i]) {
			return false
		}
	}
	return true
}
