package store

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
)

// maxFailures in a row open the breaker. It is more than one: a hiccup must not make sessions unknown that are in the store.
const maxFailures = 3

var errDown = errors.New("the session store does not answer")

// breaker knows whether the shared store is worth asking. It begins open. No request closes it: one goroutine does,
// which watches opened.
type breaker struct {
	open     atomic.Bool
	failures atomic.Int32  // in a row
	opened   chan struct{} // holds a value when the breaker has opened
	first    chan struct{} // closed by the first report
	log      logr.Logger
	observe  func(Event)

	mu       sync.Mutex
	reported bool
	up       bool // as last reported
}

func newBreaker(log logr.Logger, observe func(Event)) *breaker {
	b := &breaker{opened: make(chan struct{}, 1), first: make(chan struct{}), log: log, observe: observe}
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
		b.report(false, err)
		b.opened <- struct{}{} // has room: whoever closed the breaker took the last one out
	}
}

// close is called by the goroutine that watches, when the store has answered it.
func (b *breaker) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures.Store(0)
	b.open.Store(false)
	b.report(true, nil)
}

// stillOpen is called by the goroutine that watches, when it got no answer. There is news in that at the beginning only.
func (b *breaker) stillOpen(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report(false, err)
}

// report tells of a change, and of nothing else.
func (b *breaker) report(up bool, err error) {
	if b.reported && b.up == up {
		return
	}
	if !b.reported {
		close(b.first)
	}
	b.reported, b.up = true, up
	if up {
		b.log.Info("session store answers")
		b.observe(Up)
		return
	}
	b.log.Error(err, "session store does not answer: sessions known here hold, others are not found")
	b.observe(Down)
}

// waitFirst returns when it is known whether the store answers, or at the latest after d.
func (b *breaker) waitFirst(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-b.first:
	case <-timer.C:
	}
}
