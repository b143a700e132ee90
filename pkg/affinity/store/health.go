package store

import (
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// health tells when the shared store, or a part of it, stops answering, and when all of it answers again.
type health struct {
	log     logr.Logger
	observe func(Event)
	first   chan struct{} // closed when that is told for the first time

	mu   sync.Mutex
	open int // breakers
	told bool
	up   bool // as last told
}

// newHealth begins with that many open breakers.
func newHealth(open int, log logr.Logger, observe func(Event)) *health {
	return &health{log: log, observe: observe, first: make(chan struct{}), open: open}
}

func (h *health) opened(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open++
	h.tell(false, err)
}

// stillOpen is told of a breaker when an attempt to close it has failed: in the beginning there is news in that.
func (h *health) stillOpen(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tell(false, err)
}

func (h *health) closed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open--; h.open == 0 {
		h.tell(true, nil)
	}
}

// tell says nothing twice.
func (h *health) tell(up bool, err error) {
	if h.told && h.up == up {
		return
	}
	if !h.told {
		close(h.first)
	}
	h.told, h.up = true, up
	if up {
		h.log.Info("Session store responds")
		h.observe(Up)
		return
	}
	h.log.Error(err, "Session store does not respond in full: sessions that this replica knows hold, others are not found")
	h.observe(Down)
}

// waitFirst returns when it is known whether the store answers, or at the latest after d.
func (h *health) waitFirst(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-h.first:
	case <-timer.C:
	}
}
