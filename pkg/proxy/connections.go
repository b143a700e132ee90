package proxy

import "sync"

// connections is every client connection that is open. It is kept in several sets, so that accepting on many cores
// does not wait for one lock; requests do not touch it.
type connections struct {
	shards [16]connectionSet
}

type connectionSet struct {
	mu  sync.Mutex
	all map[*client]struct{}
	_   [96]byte
}

func (c *connections) add(conn *client) {
	s := &c.shards[conn.shard%uint32(len(c.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*client]struct{}{}
	}
	s.all[conn] = struct{}{}
}

func (c *connections) remove(conn *client) {
	s := &c.shards[conn.shard%uint32(len(c.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, conn)
}

func (c *connections) each(do func(*client)) {
	for i := range c.shards {
		c.shards[i].each(do)
	}
}

func (s *connectionSet) each(do func(*client)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.all {
		do(conn)
	}
}

func (c *connections) sweep(clock int64) {
	c.each(func(conn *client) {
		conn.guard.sweep(clock)
		conn.bodySide.sweep(clock)
	})
}

// interruptIdle ends the wait of every connection that waits for its next request.
func (c *connections) interruptIdle() {
	c.each(func(conn *client) {
		if v := conn.guard.until.Load(); v > 0 && conn.idle.Load() {
			conn.guard.interrupt(v)
		}
	})
}

func (c *connections) closeAll() {
	c.each(func(conn *client) { conn.close() })
}

func (c *connections) empty() bool {
	open := 0
	c.each(func(*client) { open++ })
	return open == 0
}
