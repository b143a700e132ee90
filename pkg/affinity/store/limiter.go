package store

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// The maximum number of events per second and replica. Sessions that the shared store has are not limited.
const (
	clientLookups, policyLookups = 256, 1024 // queries for ids that the shared store does not have
	clientWrites, policyWrites   = 32, 128   // bindings of ids that only clients named
)

// limiter limits events per second, for each client and for each policy. Clients and policies that share a counter
// share its limit.
type limiter struct {
	seed                 uint64
	perClient, perPolicy uint32
	clients              [8192]counter
	policies             [8192]counter
}

func newLimiter(perClient, perPolicy uint32) *limiter {
	return &limiter{seed: rand.Uint64(), perClient: perClient, perPolicy: perPolicy}
}

// counter counts the events of one second. The upper half is that second, the lower half the number of events.
type counter struct{ atomic.Uint64 }

// take counts an event of a client, and reports whether it is within the limits. A client that exceeds its own limit
// does not use up that of its policy.
func (l *limiter) take(id *affinity.LearnedID, now int64) bool {
	client := l.client(id)
	if client != nil && !client.take(now, l.perClient) {
		return false
	}
	if l.policy(id).take(now, l.perPolicy) {
		return true
	}
	if client != nil {
		client.giveBack(now)
	}
	return false
}

// allows reports whether take would return true. It counts nothing.
func (l *limiter) allows(id *affinity.LearnedID, now int64) bool {
	client := l.client(id)
	return (client == nil || client.of(now) < l.perClient) && l.policy(id).of(now) < l.perPolicy
}

// client returns the counter of a client, or nil if the client is unknown.
func (l *limiter) client(id *affinity.LearnedID) *counter {
	if id.Client == 0 {
		return nil
	}
	return &l.clients[model.Mix(id.Client^id.Policy^l.seed)%uint64(len(l.clients))]
}

func (l *limiter) policy(id *affinity.LearnedID) *counter {
	return &l.policies[model.Mix(id.Policy^l.seed)%uint64(len(l.policies))]
}

func (c *counter) take(now int64, limit uint32) bool {
	second := uint64(uint32(now)) << 32
	for {
		old := c.Load()
		next := old + 1
		if old>>32 != second>>32 {
			next = second + 1
		} else if uint32(old) >= limit {
			return false
		}
		if c.CompareAndSwap(old, next) {
			return true
		}
	}
}

// of returns the number of events in the current second.
func (c *counter) of(now int64) uint32 {
	if value := c.Load(); value>>32 == uint64(uint32(now)) {
		return uint32(value)
	}
	return 0
}

func (c *counter) giveBack(now int64) {
	for {
		old := c.Load()
		if old>>32 != uint64(uint32(now)) || uint32(old) == 0 || c.CompareAndSwap(old, old-1) {
			return
		}
	}
}
