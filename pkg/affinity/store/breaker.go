package store

import (
	"errors"
	"sync"
	"sync/atomic"
)

// maxFailures in a row open a breaker. It is more than one: a hiccup must not make sessions unknown that are in the store.
const maxFailures = 3

var errDown = errors.New("the session store does not answer")

// breaker knows whether a part of the shared store is worth asking. It begins open. No request closes it: one goroutine
// does, which watches opened.
type breaker struct {
	part     int
	open     atomic.Bool
	failures atomic.Int32  // in a row
	opened   chan struct{} // holds a value when the breaker has opened
	health   *health
	mu       sync.Mutex // held while open changes
}

func newBreaker(part int, h *health) *breaker {
	b := &breaker{part: part, opened: make(chan struct{}, 1), health: h}
	b.open.Store(true)
	b.opened <- struct{}{}
	return b
}

func (b *breaker) isOpen() bool { return b.open.Load() }

// succeeded writes only what changes: all requests share these words.
func (b *breaker) succeeded() {
	if b.failures.Load() != 0 {
		b.failures.Store(0)
	}
}

func (b *breaker) failed(err error) {
	if b.failures.Add(1) < maxFailures || b.isOpen() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.isOpen() {
		b.open.Store(true)
		b.health.opened(err)
		b.opened <- struct{}{} // has room: whoever closed the breaker took the last one out
	}
}

// close is called by the goroutine that watches, when the part has answered it.
func (b *breaker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures.Store(0)
	b.open.Store(false)
	b.health.closed()
}
