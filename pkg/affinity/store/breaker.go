package store

import (
	"errors"
	"sync"
	"sync/atomic"
)

// maxFailures is the number of consecutive failures that open a breaker. A single failure must not make stored
// sessions unknown.
const maxFailures = 3

var errUnavailable = errors.New("store: the session store is unavailable")

// breaker is a circuit breaker for one part of the shared store. While it is open, requests do not query that part.
//
// It is initially open. Only the goroutine that receives from opened closes it.
type breaker struct {
	part     int
	open     atomic.Bool
	failures atomic.Int32  // consecutive
	opened   chan struct{} // receives a value each time the breaker opens
	health   *health
	mu       sync.Mutex // serializes changes of open
}

func newBreaker(part int, h *health) *breaker {
	b := &breaker{part: part, opened: make(chan struct{}, 1), health: h}
	b.open.Store(true)
	b.opened <- struct{}{}
	return b
}

func (b *breaker) isOpen() bool { return b.open.Load() }

// succeeded resets the failure count. It avoids a write if the count is zero already, because all cores share the
// cache line.
func (b *breaker) succeeded() {
	if b.failures.Load() != 0 {
		b.failures.Store(0)
	}
}

// failed counts a failure and opens the breaker after maxFailures.
func (b *breaker) failed(err error) {
	if b.failures.Add(1) < maxFailures || b.isOpen() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.isOpen() {
		b.open.Store(true)
		b.health.opened(err)
		b.opened <- struct{}{} // never blocks: the previous value was received before the breaker closed
	}
}

// close closes the breaker after a successful probe.
func (b *breaker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures.Store(0)
	b.open.Store(false)
	b.health.closed()
}
