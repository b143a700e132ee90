package upstream

import (
	"cmp"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Pool is the live endpoints of one Service port. Tables point at it, and it outlives them.
type Pool struct {
	ID model.PoolID
	// Name is the ID as text, for logs.
	Name string
	// Slot is a small number that no other pool of the Registry has, for indexing what others keep by pool.
	Slot int

	set  atomic.Pointer[Set]
	turn atomic.Uint64
	mu   sync.Mutex // held while the set is replaced
	live map[string]*live
}

func newPool(id model.PoolID, slot int) *Pool {
	p := &Pool{ID: id, Name: id.String(), Slot: slot, live: map[string]*live{}}
	p.set.Store(newSet(nil, &p.turn))
	return p
}

// Set returns the endpoints of this moment.
func (p *Pool) Set() *Set { return p.set.Load() }

// Replace makes the given endpoints the pool's endpoints, keeping the connections and counts of those that stay. It
// reports whether anything changed. Those that left keep answering the requests that they have.
func (p *Pool) Replace(endpoints []model.Endpoint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds(endpoints) {
		return false
	}
	next := make(map[string]*live, len(endpoints))
	members := make([]*Endpoint, len(endpoints))
	for i, e := range endpoints {
		key := e.ID + " " + e.Address
		next[key] = p.live[key]
		if next[key] == nil {
			next[key] = new(live)
		}
		members[i] = &Endpoint{Endpoint: e, Label: cmp.Or(e.Pod, e.Address), live: next[key]}
	}
	previous := p.live
	p.live = next
	p.set.Store(newSet(members, &p.turn))
	leaveAllBut(previous, next)
	return true
}

func leaveAllBut(previous, next map[string]*live) {
	for key, l := range previous {
		if next[key] == nil {
			l.leave()
		}
	}
}

func (p *Pool) holds(endpoints []model.Endpoint) bool {
	current := p.Set().Endpoints()
	if len(current) != len(endpoints) {
		return false
	}
	have := make(map[model.Endpoint]bool, len(current))
	for _, e := range current {
		have[e.Endpoint] = true
	}
	for _, e := range endpoints {
		if !have[e] {
			return false
		}
	}
	return true
}
