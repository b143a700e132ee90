package upstream

import (
	"cmp"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

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
	// changed is closed when the set is replaced; nil while nobody waits for that.
	changed chan struct{}
	moves   pace
	replays atomic.Int64 // requests in flight for the second time
	zone    string       // of this Limpet
	// transports are all that a Table has ever named for the pool: few, since they change as seldom as a certificate
	// authority does.
	transports map[model.Transport]*Transport
	// known says that there have been endpoints: those that come now are new.
	known bool
}

func newPool(id model.PoolID, slot int, zone string) *Pool {
	p := &Pool{ID: id, Name: id.String(), Slot: slot, live: map[string]*live{}, zone: zone}
	p.set.Store(newSet(nil, p, departed{}))
	return p
}

// Set returns the endpoints of this moment.
func (p *Pool) Set() *Set { return p.set.Load() }

// Changed gives a channel that is closed when the endpoints change next.
func (p *Pool) Changed() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}

// Replace makes the given endpoints the pool's endpoints, keeping the connections and counts of those that stay. It
// reports whether anything changed. Those that left keep answering the requests that they have.
func (p *Pool) Replace(endpoints []model.Endpoint) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holds(endpoints) {
		return false
	}
	now := time.Now().Unix()
	next := make(map[string]*live, len(endpoints))
	members := make([]*Endpoint, len(endpoints))
	for i, e := range endpoints {
		key := liveKey(&e)
		if next[key] == nil {
			next[key] = p.keep(key, e.State, now)
		}
		members[i] = &Endpoint{Endpoint: e, Label: cmp.Or(e.Pod, e.Address), live: next[key]}
	}
	previous := p.live
	p.live = next
	p.known = p.known || len(endpoints) > 0
	p.set.Store(newSet(members, p, departedFrom(p.Set(), next)))
	leaveAllBut(previous, next)
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
	return true
}

// keep gives what is live about an endpoint, and notes since when it is in that state. Those that were ready when the
// pool was first seen are not new.
func (p *Pool) keep(key string, state model.EndpointState, now int64) *live {
	draining := state == model.EndpointDraining
	l := p.live[key]
	switch {
	case l == nil:
		l = &live{draining: draining}
		if draining || p.known {
			l.since.Store(now)
		}
	case l.draining != draining:
		l.draining = draining
		l.since.Store(now)
	}
	return l
}

// leave is for a pool that no Table names any longer. Its endpoints stay for the requests that have pinned an older one.
func (p *Pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	leaveAllBut(p.live, nil)
}

// liveKey is what makes two endpoints one and the same, as far as connections and counts go.
func liveKey(e *model.Endpoint) string { return e.ID + " " + e.Address }

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
	have := make(map[string]model.Endpoint, len(current))
	for _, e := range current {
		have[liveKey(&e.Endpoint)] = e.Endpoint
	}
	for i := range endpoints {
		if !reflect.DeepEqual(have[liveKey(&endpoints[i])], endpoints[i]) {
			return false
		}
	}
	return true
}
