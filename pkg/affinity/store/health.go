package store

import (
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// health logs and reports when the shared store, or a part of it, becomes unavailable, and when all of it is
// available again.
type health struct {
	log     logr.Logger
	observe func(Event)
	first   chan struct{} // closed with the first report

	mu       sync.Mutex
	open     int // number of open breakers
	reported bool
	up       bool // as last reported
}

// newHealth returns a health with the given number of initially open breakers.
func newHealth(open int, log logr.Logger, observe func(Event)) *health {
	return &health{log: log, observe: observe, first: make(chan struct{}), open: open}
}

func (h *health) opened(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open++
	h.report(false, err)
}

// stillOpen is called when a probe failed. It matters only before the first report.
func (h *health) stillOpen(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.report(false, err)
}

func (h *health) closed() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open--; h.open == 0 {
		h.report(true, nil)
	}
}

// report logs and reports a change of the state. h.mu must be held.
func (h *health) report(up bool, err error) {
	if h.reported && h.up == up {
		return
	}
	if !h.reported {
		close(h.first)
	}
	h.reported, h.up = true, up
	if up {
		h.log.Info("Session store is available")
		h.observe(Up)
		return
	}
	h.log.Error(err, "Session store is unavailable, using sessions in memory only")
	h.observe(Down)
}

// waitFirst waits for the first report, for at most d.
func (h *health) waitFirst(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-h.first:
	case <-timer.C:
	}
}
