package proxy

import "sync"

// connections is the set of open client connections. It is sharded, so that accepting on many cores does not contend for
// one lock. Requests do not touch it.
type connections struct {
	shards    [16]connectionSet
	lastSweep int64 // the clock of the last sweep, owned by the sweeper
}

type connectionSet struct {
	mu     sync.Mutex
	conns  map[*client]struct{}
	closed bool     // add fails
	_      [96]byte // keeps the locks of two shards in different cache lines
}

// add returns false, and adds nothing, after closeAll.
func (c *connections) add(conn *client) bool {
	s := c.shardOf(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.conns == nil {
		s.conns = map[*client]struct{}{}
	}
	s.conns[conn] = struct{}{}
	return true
}

func (c *connections) remove(conn *client) {
	s := c.shardOf(conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
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
	for conn := range s.conns {
		do(conn)
	}
}

// resetCheckInterval is the period, in milliseconds, at which the sweeper checks whether clients that wait for a response
// have reset their connection.
const resetCheckInterval = 1000

// sweep ends reads and writes whose deadline has passed. It returns the estimated memory, in bytes, that the connections
// hold beyond what their Accounts count.
func (c *connections) sweep(clock int64, tight bool) (uncounted int64) {
	checkResets := clock/resetCheckInterval != c.lastSweep/resetCheckInterval
	c.lastSweep = clock
	c.each(func(conn *client) {
		uncounted += conn.sampleMemory()
		conn.guard.Sweep(clock)
		if since := conn.headSince.Load(); tight && 0 < since && since < clock-tightHeadTime {
			conn.guard.Expire()
		}
		conn.source.Sweep(clock)
		conn.guards.sweep(clock)
		conn.sweepHTTP2(clock)
		if checkResets && conn.awaitsResponse() && isReset(conn.raw) {
			conn.wasReset.Store(true)
			conn.guard.Expire()
		}
	})
	return uncounted
}

// interruptIdle ends every connection that has been idle since clock or longer.
func (c *connections) interruptIdle(clock int64) {
	c.each(func(conn *client) {
		if conn.quic != nil && conn.guards.isEmptySince(clock) {
			conn.raw.Close()
		}
		until := conn.guard.Deadline()
		if since := conn.idleSince.Load(); 0 < since && since <= clock && until > 0 {
			conn.guard.Interrupt(until)
		}
	})
}

// closeAll aborts all connections, and makes add fail.
func (c *connections) closeAll() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.each((*client).abort)
	}
}

func (c *connections) empty() bool {
	open := 0
	c.each(func(*client) { open++ })
	return open == 0
}
