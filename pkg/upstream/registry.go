package upstream

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/sketch"
)

// Registry contains all Pools by ID. It is safe for concurrent use. Requests do not use it, because routing tables
// refer to their Pools.
type Registry struct {
	// Zone is the zone of this replica, empty if it is unknown. It must be set before the first Pool is created.
	Zone string
	// OnHealth is called with each ejection and return of an endpoint, while its Pool is locked: it must not call the Pool. Nil
	// disables it. It must be set before the first Pool is created.
	OnHealth func(HealthChange)

	clock  func() int64  // monotonic time in milliseconds
	unused *LiveSessions // of endpoints without requests; immutable
	marks  drainMarks

	mu    sync.Mutex
	pools map[model.PoolID]*Pool
	free  []int // slots of removed pools
	slots int
}

// NewRegistry returns an empty Registry.
func NewRegistry() *Registry {
	started := time.Now()
	return &Registry{
		pools: map[model.PoolID]*Pool{}, unused: newPlaceholder(sketch.NewBudget(maxLiveBytes)),
		clock: func() int64 { return time.Since(started).Milliseconds() },
	}
}

// Pool returns the pool with that ID. It creates an empty pool if the ID is new.
func (r *Registry) Pool(id model.PoolID) *Pool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.pools[id]; p != nil {
		return p
	}
	p := newPool(id, r.takeSlot(), r)
	r.pools[id] = p
	return p
}

func (r *Registry) takeSlot() int {
	if last := len(r.free) - 1; last >= 0 {
		slot := r.free[last]
		r.free = r.free[:last]
		return slot
	}
	r.slots++
	return r.slots - 1
}

// Pools returns all pools, sorted by ID.
func (r *Registry) Pools() []*Pool {
	r.mu.Lock()
	defer r.mu.Unlock()
	pools := make([]*Pool, 0, len(r.pools))
	for _, p := range r.pools {
		pools = append(pools, p)
	}
	slices.SortFunc(pools, comparePools)
	return pools
}

// Visit calls visit for all pools in no particular order, without a copy of them. visit must not call the Registry.
func (r *Registry) Visit(visit func(*Pool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.pools {
		visit(p)
	}
}

// Len returns the number of pools.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pools)
}

// Find returns the pool with an ID as text, or nil.
func (r *Registry) Find(name string) (found *Pool) {
	r.Visit(func(p *Pool) {
		if p.Name == name {
			found = p
		}
	})
	return found
}

// comparePools compares by ID. The names are compared last, and are not made for it: a scrape sorts all pools.
func comparePools(a, b *Pool) int {
	return cmp.Or(
		cmp.Compare(a.ID.Namespace, b.ID.Namespace),
		cmp.Compare(a.ID.Service, b.ID.Service),
		cmp.Compare(a.ID.Port, b.ID.Port),
		cmp.Compare(a.Name, b.Name),
	)
}

// Retain removes every pool that is not in keep, closes its idle connections, and returns the removed IDs. Call it
// after publishing the first table that does not refer to them.
func (r *Registry) Retain(keep map[model.PoolID]bool) (dropped []model.PoolID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.pools {
		if !keep[id] {
			r.remove(id)
			dropped = append(dropped, id)
		}
	}
	return dropped
}

// Remove removes one pool, if there is one with that ID, like Retain.
func (r *Registry) Remove(id model.PoolID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(id)
}

func (r *Registry) remove(id model.PoolID) {
	p := r.pools[id]
	if p == nil {
		return
	}
	p.retire()
	delete(r.pools, id)
	r.free = append(r.free, p.Slot)
}

// idleTimeout is the maximum idle time of connections to pods. Many servers close idle connections after 60 to 75 s.
// Closing first avoids a race with the next request.
const idleTimeout = 55 * time.Second

// Tidy closes stale and expired idle connections, and rotates the session counters. It returns when ctx is done.
func (r *Registry) Tidy(ctx context.Context) {
	conns, windows := time.NewTicker(5*time.Second), time.NewTicker(sessionWindow)
	intervals := time.NewTicker(sketch.SliceSeconds * time.Second)
	defer conns.Stop()
	defer windows.Stop()
	defer intervals.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-conns.C:
			r.each(func(e *Endpoint) {
				e.closeIdle(now.Add(-idleTimeout))
				e.ConnectSucceeded()
			})
			r.expireMarks(now)
		case now := <-intervals.C:
			r.rotateLive(now)
		case <-windows.C:
			r.each(func(e *Endpoint) { e.sessions.Load().rotate() })
		}
	}
}

func (r *Registry) each(do func(*Endpoint)) {
	for _, p := range r.Pools() {
		set := p.Set()
		for _, e := range set.Endpoints() {
			do(e)
		}
		for _, e := range set.Ejected() {
			do(e)
		}
	}
}
