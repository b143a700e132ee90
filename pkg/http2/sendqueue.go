package http2

import "slices"

// The window of the connection, and the room for what waits to be written, are shared by its streams. Those that find none
// queue, and take turns once there is some.

// isOpen reports whether any stream may send a part of a body.
func (c *Conn) canSendData() bool { return c.sendWindow > 0 && c.pending() < maxPending }

// isNext reports whether no other stream is before s.
func (s *Stream) isNextSender() bool {
	c := s.conn
	return c.sender == s || c.sender == nil && len(c.sendQueue) == 0
}

// queueUp waits until it is the turn of s, or something else has changed.
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

// passTurn is for a stream that has had its turn, or has no use for it.
func (s *Stream) yieldSender() {
	c := s.conn
	if c.sender == s {
		c.sender = nil
	}
	c.wakeNextSender()
}

// nextTurn wakes the stream that has waited longest, if there is something to share.
func (c *Conn) wakeNextSender() {
	if c.sender != nil || len(c.sendQueue) == 0 || !c.canSendData() {
		return
	}
	c.sender = c.sendQueue[0]
	c.sendQueue = slices.Delete(c.sendQueue, 0, 1)
	c.sender.queued = false
	c.sender.writable.Broadcast()
}

// leaveQueue is for a stream that will send no more.
func (s *Stream) leaveQueue() {
	c := s.conn
	if s.queued {
		s.queued = false
		c.sendQueue = slices.DeleteFunc(c.sendQueue, func(other *Stream) bool { return other == s })
	}
	s.yieldSender()
}
