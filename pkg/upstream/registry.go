package upstream

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Registry is all Pools by ID. Safe for concurrent use; requests never ask it, because Tables point at their Pools.
type Registry struct {
	// Zone is Limpet's own, empty if it is not known. It is set before the first Pool is made.
	Zone string

	mu    sync.Mutex
	pools map[model.PoolID]*Pool
	free  []int // slots of pools that are gone
	slots int
}

// NewRegistry makes an empty Registry.
func NewRegistry() *Registry { return &Registry{pools: map[model.PoolID]*Pool{}} }

// Pool returns the pool of that ID, making an empty one if there is none.
func (r *Registry) Pool(id model.PoolID) *Pool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.pools[id]; p != nil {
		return p
	}
	p := newPool(id, r.takeSlot(), r.Zone)
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

// Pools lists all pools, sorted by ID.
func (r *Registry) Pools() []*Pool {
	r.mu.Lock()
	defer r.mu.Unlock()
	pools := make([]*Pool, 0, len(r.pools))
	for _, p := range r.pools {
		pools = append(pools, p)
	}
	slices.SortFunc(pools, func(a, b *Pool) int {
		return cmp.Or(
			cmp.Compare(a.ID.Namespace, b.ID.Namespace),
			cmp.Compare(a.ID.Service, b.ID.Service),
			cmp.Compare(a.ID.Port, b.ID.Port),
		)
	})
	return pools
}

// Retain drops every pool that is not in keep, closes its idle connections, and returns what it dropped. Called after
// the Table that no longer names them was published.
func (r *Registry) Retain(keep map[model.PoolID]bool) (dropped []model.PoolID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range r.pools {
		if keep[id] {
			continue
		}
		p.leave()
		delete(r.pools, id)
		r.free = append(r.free, p.Slot)
		dropped = append(dropped, id)
	}
	return dropped
}

// idleTimeout closes connections to pods that were not used for so long. Many app servers close theirs after 60 to
// 75 s, and whoever closes first avoids the race.
const idleTimeout = 55 * time.Second

// Tidy closes idle connections that are stale or old, and lets forgotten sessions go, until ctx ends.
func (r *Registry) Tidy(ctx context.Context) {
	conns, windows := time.NewTicker(5*time.Second), time.NewTicker(sessionWindow)
	defer conns.Stop()
	defer windows.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-conns.C:
			r.each(func(e *Endpoint) {
				e.closeIdle(now.Add(-idleTimeout))
				e.Accepted()
			})
		case <-windows.C:
			r.each(func(e *Endpoint) { e.sessions.turnOver() })
		}
	}
}

func (r *Registry) each(do func(*Endpoint)) {
	for _, p := range r.Pools() {
		for _, e := range p.Set().Endpoints() {
			do(e)
		}
	}
}
