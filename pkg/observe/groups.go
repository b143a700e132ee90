package observe

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// group has series of its own. It is a pool, a namespace or the whole process, depending on Detail.
type group struct {
	name  string
	pools int // attached ones; guarded by groups.mu
	// counts is nil until the first traffic. It is groups.other for a group that has no series of its own.
	counts atomic.Pointer[PoolMetrics]

	// Guarded by trafficCollector.mu:
	activity uint64    // of counts at the last scrape
	seen     time.Time // when a scrape last found new traffic
	spread   spread
	hidden   bool // over the limit, and not exported by this scrape
}

// groups finds the counters of pools by their slots. Readers take no lock.
type groups struct {
	detail   Detail
	isTraced bool // durations have native histograms, too
	slots    atomic.Pointer[[]atomic.Pointer[group]]
	capacity atomic.Int64 // groups that may still get counters of their own before the next scrape
	noRoute  *group       // of requests without a pool
	other    PoolMetrics  // of groups over the limit
	discard  *group       // of requests in flight to detached pools
	retired  PoolMetrics  // of groups that have lost their counters

	mu     sync.Mutex // serializes writers of slots
	byName map[string]*group
	slotOf map[model.PoolID]int
	idOf   map[int]model.PoolID
}

func newGroups(detail Detail, isTraced bool) *groups {
	g := &groups{detail: detail, isTraced: isTraced, noRoute: &group{}, discard: &group{},
		byName: map[string]*group{}, slotOf: map[model.PoolID]int{}, idOf: map[int]model.PoolID{}}
	g.noRoute.counts.Store(g.newCounts())
	g.discard.counts.Store(g.newCounts())
	g.other.duration.native, g.retired.duration.native = g.newNative(), g.newNative()
	g.byName[""] = g.noRoute
	g.slots.Store(&[]atomic.Pointer[group]{})
	return g
}

func (g *groups) newCounts() *PoolMetrics {
	return &PoolMetrics{duration: durations{native: g.newNative()}}
}

// newNative returns the buckets of a native histogram, nil if there are no buckets.
func (g *groups) newNative() *nativeBuckets {
	if !g.isTraced {
		return nil
	}
	return new(nativeBuckets)
}

// of returns the group of the pool in slot, or nil if none is attached.
func (g *groups) of(slot int) *group {
	slots := *g.slots.Load()
	if slot >= len(slots) {
		return nil
	}
	return slots[slot].Load()
}

// countsOf returns the counters of the pool in slot. The first traffic of a group creates them.
func (g *groups) countsOf(slot int) *PoolMetrics {
	of := (*g.slots.Load())[slot].Load()
	if counts := of.counts.Load(); counts != nil {
		return counts
	}
	return g.admit(of)
}

// admit creates the counters of a group. It returns the common ones if there is no capacity.
func (g *groups) admit(of *group) *PoolMetrics {
	counts := &g.other
	if g.capacity.Add(-1) >= 0 {
		counts = g.newCounts()
	}
	if of.counts.CompareAndSwap(nil, counts) {
		return counts
	}
	g.capacity.Add(1)
	if counts = of.counts.Load(); counts != nil {
		return counts
	}
	return &g.other // a scrape has just removed the counters again
}

// attach assigns slot to a pool. If the pool already has the slot, it does nothing.
func (g *groups) attach(slot int, id model.PoolID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if attached, ok := g.slotOf[id]; ok {
		if attached == slot {
			return
		}
		g.clear(attached, id)
	}
	if before, ok := g.idOf[slot]; ok {
		g.clear(slot, before)
	}
	name := g.detail.group(id)
	of := g.byName[name]
	if of == nil {
		of = &group{name: name}
		g.byName[name] = of
	}
	of.pools++
	g.slotOf[id], g.idOf[slot] = slot, id
	g.grow(slot + 1)
	(*g.slots.Load())[slot].Store(of)
}

// grow extends the slots to size. It doubles the size, so that attaching many pools copies each slot few times. Readers
// may use the old slots for a moment: the new ones contain the same groups.
func (g *groups) grow(size int) {
	old := *g.slots.Load()
	if size <= len(old) {
		return
	}
	next := make([]atomic.Pointer[group], max(size, 2*len(old), 16))
	for i := range old {
		next[i].Store(old[i].Load())
	}
	g.slots.Store(&next)
}

// detach removes a pool. Its group is removed with its last pool.
func (g *groups) detach(id model.PoolID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if slot, ok := g.slotOf[id]; ok {
		g.clear(slot, id)
	}
}

// clear takes a pool out of its slot and its group.
func (g *groups) clear(slot int, id model.PoolID) {
	delete(g.slotOf, id)
	delete(g.idOf, slot)
	of := (*g.slots.Load())[slot].Swap(g.discard)
	of.pools--
	if of.pools > 0 || of == g.noRoute {
		return
	}
	delete(g.byName, of.name)
	g.retire(of, &g.other)
}

// retire replaces the counters of a group, and keeps what they counted for the totals of all groups.
func (g *groups) retire(of *group, next *PoolMetrics) {
	if last := of.counts.Swap(next); last != nil && last != &g.other {
		g.retired.add(last)
	}
}

// hasOwn reports whether a group has counters of its own.
func (g *groups) hasOwn(of *group) bool {
	counts := of.counts.Load()
	return counts != nil && counts != &g.other
}

// all returns the groups, sorted by name, so that all replicas have the same order.
func (g *groups) all() []*group {
	g.mu.Lock()
	all := make([]*group, 0, len(g.byName))
	for _, of := range g.byName {
		all = append(all, of)
	}
	g.mu.Unlock()
	slices.SortFunc(all, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	return all
}
