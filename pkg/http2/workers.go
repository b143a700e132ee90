package http2

import "slices"

// workers are the goroutines that run handle. An idle worker waits for another stream, because its stack has already grown.
// Growing a stack per stream used 8 % of the CPU time of a small request.
type workers struct {
	idle    []chan *Stream // the most recently used last
	minIdle int            // fewest idle workers since StopIdleWorkers was called last
}

// startHandler runs handle for s on an idle worker, or on a new one.
func (c *Conn) startHandler(s *Stream) {
	w := &c.workers
	last := len(w.idle) - 1
	if last < 0 {
		go c.runHandlers(s)
		return
	}
	w.idle[last] <- s
	w.idle = w.idle[:last]
	w.minIdle = min(w.minIdle, last)
}

// runHandlers is the worker goroutine.
func (c *Conn) runHandlers(s *Stream) {
	next := make(chan *Stream, 1)
	for s != nil {
		c.handle(s)
		if !c.addIdleWorker(next) {
			return
		}
		s = <-next
	}
}

// addIdleWorker reports whether the worker should wait on next for another stream.
func (c *Conn) addIdleWorker(next chan *Stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.workers.idle = append(c.workers.idle, next)
	return true
}

// StopIdleWorkers stops the workers that were idle since the previous call.
func (c *Conn) StopIdleWorkers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.workers.stopOldest(c.workers.minIdle)
	c.workers.minIdle = len(c.workers.idle)
}

// stopOldest stops the n workers that have been idle for the longest time.
func (w *workers) stopOldest(n int) {
	for _, next := range w.idle[:n] {
		close(next)
	}
	w.idle = slices.Delete(w.idle, 0, n)
	w.minIdle = min(w.minIdle, len(w.idle))
}
