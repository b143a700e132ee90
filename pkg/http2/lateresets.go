package http2

// lateResets are the streams of a server whose response is complete before their request. They are reset with CodeNone, so that
// the client stops sending (RFC 9113 section 8.1). Clients of nghttp2, such as curl, discard a response that they read together
// with the reset. So the reset is sent between one and two calls of SendLateResets later, and in a write of its own. Until
// then, the client can send no more than the rest of the stream's window.
type lateResets struct {
	waiting []uint32 // streams to reset
	due     int      // the first due of them were waiting at the last SendLateResets
	ready   []uint32 // streams to reset in the next write
}

// SendLateResets resets the streams whose response is complete before their request, and that were so at the previous call. The
// owner of a server's connection calls it about every 100 ms.
func (c *Conn) SendLateResets() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lateResets.makeReady()
	c.flush()
}

func (l *lateResets) makeReady() {
	l.ready = append(l.ready, l.waiting[:l.due]...)
	l.waiting = l.waiting[:copy(l.waiting, l.waiting[l.due:])]
	l.due = len(l.waiting)
}

// makeAllReady makes all resets ready, for the last write of a connection.
func (l *lateResets) makeAllReady() {
	l.due = len(l.waiting)
	l.makeReady()
}

// appendLateResets appends the resets that are ready to the output. The responses before them must have been taken.
func (c *Conn) appendLateResets() {
	for _, id := range c.lateResets.ready {
		c.setOutput(appendReset(c.output(), id, CodeNone))
		c.replies++
	}
	c.lateResets.ready = c.lateResets.ready[:0]
}
