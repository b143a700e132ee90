package dashboard

import (
	"sync"
	"time"
)

// stateLifetime limits the time for which a State is kept that no client reads. It may be large.
const stateLifetime = time.Minute

// stateCache keeps the last State, so that several clients and views share it.
type stateCache struct {
	// Immutable:
	changes func() uint64
	load    func() State

	mu      sync.Mutex // also held while a State is loaded, so that concurrent clients load it once
	version uint64
	current *State    // nil if none is kept
	used    time.Time // when it was last read
}

// get returns the current State. Callers must not modify it.
func (c *stateCache) get() *State {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The version is read first: a change during load leads to another load.
	if version := c.changes(); c.current == nil || version != c.version {
		loaded := c.load()
		c.current, c.version = &loaded, version
	}
	c.used = time.Now()
	return c.current
}

// expire drops a State that was not read for a while.
func (c *stateCache) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.used) > stateLifetime {
		c.current = nil
	}
}
