package http2

import "slices"

// The streams of a connection share its send window and the space for output. A stream that finds none of either waits in
// sendQueue. When there is some again, the queued streams take turns.

// canSendData reports whether the connection window and the output have space for DATA.
func (c *Conn) canSendData() bool { return c.sendWindow > 0 && c.pending() < maxPending }

// isNextSender reports whether no other stream is ahead of s.
func (s *Stream) isNextSender() bool {
	c := s.conn
	return c.sender == s || c.sender == nil && len(c.sendQueue) == 0
}

// waitInQueue waits until it is the turn of s, or until s fails or its deadline expires.
func (s *Stream) waitInQueue() {
	c := s.conn
	s.yieldSender()
	if !s.queued {
		s.queued = true
		c.sendQueue = append(c.sendQueue, s)
	}
	c.flush()
	s.writable.Wait()
}

// yieldSender ends the turn of s, if it has one, and wakes the next stream.
func (s *Stream) yieldSender() {
	c := s.conn
	if c.sender == s {
		c.sender = nil
	}
	c.wakeNextSender()
}

// wakeNextSender wakes the stream at the head of the queue if there is window and output space.
func (c *Conn) wakeNextSender() {
	if c.sender != nil || len(c.sendQueue) == 0 || !c.canSendData() {
		return
	}
	c.sender = c.sendQueue[0]
	c.sendQueue = slices.Delete(c.sendQueue, 0, 1)
	c.sender.queued = false
	c.sender.writable.Broadcast()
}

// leaveQueue removes a stream that sends no more.
func (s *Stream) leaveQueue() {
	c := s.conn
	if s.queued {
		s.queued = false
		c.sendQueue = slices.DeleteFunc(c.sendQueue, func(other *Stream) bool { return other == s })
	}
	s.yieldSender()
}
