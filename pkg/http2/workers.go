package http2

import "slices"

// workers are the goroutines that handle streams. One that is done rests until there is another stream: it has the stack
// already that it will need. Growing one for each stream was 8 % of the CPU of a small request.
type workers struct {
	resting []chan *Stream // the newest last
	least   int            // how many rested at least since Trim
}

// start has a stream handled.
func (c *Conn) start(s *Stream) {
	w := &c.workers
	last := len(w.resting) - 1
	if last < 0 {
		go c.work(s)
		return
	}
	w.resting[last] <- s
	w.resting = w.resting[:last]
	w.least = min(w.least, last)
}

func (c *Conn) work(s *Stream) {
	next := make(chan *Stream, 1)
	for s != nil {
		c.handle(s)
		if !c.rest(next) {
			return
		}
		s = <-next
	}
}

// rest reports whether there may be another stream.
func (c *Conn) rest(next chan *Stream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.workers.resting = append(c.workers.resting, next)
	return true
}

// Trim ends the goroutines that nobody has needed since it was called last.
func (c *Conn) Trim() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.workers.dismiss(c.workers.least)
	c.workers.least = len(c.workers.resting)
}

// dismiss ends those that have rested longest.
func (w *workers) dismiss(n int) {
	for _, next := range w.resting[:n] {
		close(next)
	}
	w.resting = slices.Delete(w.resting, 0, n)
	w.least = min(w.least, len(w.resting))
}
