package http2

import "slices"

// workers are the goroutines that handle streams. One that is done rests until there is another stream: it has the stack
// already that it will need. Growing one for each stream was 8 % of the CPU of a small request.
type workers struct {
	idle    []chan *Stream // the newest last
	minIdle int            // how many rested at least since Trim
}

// start has a stream handled.
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

// rest reports whether there may be another stream.
func (c *Conn) addIdleWorker(next chan *Stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.workers.idle = append(c.workers.idle, next)
	return true
}

// Trim ends the goroutines that nobody has needed since it was called last.
func (c *Conn) StopIdleWorkers() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.workers.stopOldest(c.workers.minIdle)
	c.workers.minIdle = len(c.workers.idle)
}

// dismiss ends those that have rested longest.
func (w *workers) stopOldest(n int) {
	for _, next := range w.idle[:n] {
		close(next)
	}
	w.idle = slices.Delete(w.idle, 0, n)
	w.minIdle = min(w.minIdle, len(w.idle))
}
