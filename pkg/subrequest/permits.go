package subrequest

import (
	"context"
	"slices"
	"sync"

	"github.com/limpet-dev/limpet/pkg/filter"
)

// permits bounds the concurrent requests. Owners have shares of them, so that servers of one namespace that do not respond leave
// permits for the requests of others.
type permits struct {
	shares *filter.Shares[permitOwner]

	mu      sync.Mutex
	waiting map[permitOwner][]chan struct{} // closed when the permit is granted
}

// permitOwner is the namespace for which requests are sent, and why. A mirror leaves permits for the authentication of its own
// namespace.
type permitOwner struct{ namespace, purpose string }

func newPermits(most int64) *permits {
	return &permits{shares: filter.NewShares[permitOwner](most), waiting: map[permitOwner][]chan struct{}{}}
}

// acquire waits for a permit. It returns false if ctx is done before.
func (p *permits) acquire(ctx context.Context, owner permitOwner) bool {
	p.mu.Lock()
	if len(p.waiting[owner]) == 0 && p.shares.Take(owner, 1) {
		p.mu.Unlock()
		return true
	}
	granted := make(chan struct{})
	p.waiting[owner] = append(p.waiting[owner], granted)
	p.mu.Unlock()
	select {
	case <-granted:
		return true
	case <-ctx.Done():
		return !p.cancel(owner, granted)
	}
}

// cancel ends a wait. It returns false if the permit has been granted meanwhile.
func (p *permits) cancel(owner permitOwner, granted chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.waiting[owner]
	at := slices.Index(queue, granted)
	if at < 0 {
		return false
	}
	p.setQueue(owner, slices.Delete(queue, at, at+1))
	return true
}

// release returns a permit, and grants those that are possible now.
func (p *permits) release(owner permitOwner) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shares.Return(owner, 1)
	for next, queue := range p.waiting {
		for len(queue) > 0 && p.shares.Take(next, 1) {
			close(queue[0])
			queue = queue[1:]
		}
		p.setQueue(next, queue)
	}
}

func (p *permits) setQueue(owner permitOwner, queue []chan struct{}) {
	if len(queue) == 0 {
		delete(p.waiting, owner)
		return
	}
	p.waiting[owner] = queue
}
