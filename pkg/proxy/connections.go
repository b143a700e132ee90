package proxy

import "sync"

// connections is every client connection that is open. It is kept in several sets, so that accepting on many cores
// does not wait for one lock; requests do not touch it.
type connections struct {
	shards [16]connectionSet
	swept  int64 // the sweeper's clock, its own affair
}

type connectionSet struct {
	mu     sync.Mutex
	all    map[*client]struct{}
	closed bool // no more are added
	_      [96]byte
}

// add refuses after closeAll.
func (c *connections) add(conn *client) bool {
	s := c.shardOf(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.all == nil {
		s.all = map[*client]struct{}{}
	}
	s.all[conn] = struct{}{}
	return true
}

func (c *connections) remove(conn *client) {
	s := c.shardOf(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, conn)
}

func (c *connections) shardOf(conn *client) *connectionSet {
	return &c.shards[conn.Shard%uint32(len(c.shards))]
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

// lookEvery is how often the sweeper asks the sockets of those who wait for an answer whether the client is still
// there, in milliseconds.
const lookEvery = 1000

// sweep ends the waits that take too long, and returns how much connections hold that they do not count in an Account.
func (c *connections) sweep(clock int64) (held int64) {
	look := clock/lookEvery != c.swept/lookEvery
	c.swept = clock
	c.each(func(conn *client) {
		held += conn.sampleMemory()
		conn.guard.Sweep(clock)
		conn.source.Sweep(clock)
		conn.guards.sweep(clock)
		conn.sweepHTTP2(clock)
		if look && conn.isWaiting() && isReset(conn.raw) {
			conn.left.Store(true)
			conn.guard.Expire()
		}
	})
	return held
}

// interruptIdle ends the wait of every connection that has waited for its next request since that time or longer.
func (c *connections) interruptIdle(clock int64) {
	c.each(func(conn *client) {
		if conn.quic != nil && conn.guards.emptySince(clock) {
			conn.raw.Close()
		}
		until := conn.guard.Deadline()
		if since := conn.idleSince.Load(); 0 < since && since <= clock && until > 0 {
			conn.guard.Interrupt(until)
		}
	})
}

// closeAll ends all connections, and lets no other one in.
func (c *connections) closeAll() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.each((*client).cut)
	}
}

func (c *connections) empty() bool {
	open := 0
	c.each(func(*client) { open++ })
	return open == 0
}
