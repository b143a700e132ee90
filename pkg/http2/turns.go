package http2

import "slices"

// The window of the connection, and the room for what waits to be written, are shared by its streams. Those that find none
// queue, and take turns once there is some.

// isOpen reports whether any stream may send a part of a body.
func (c *Conn) isOpen() bool { return c.sendWindow > 0 && c.pending() < mostPending }

// isNext reports whether no other stream is before s.
func (s *Stream) isNext() bool {
	c := s.conn
	return c.turn == s || c.turn == nil && len(c.queue) == 0
}

// queueUp waits until it is the turn of s, or something else has changed.
func (s *Stream) queueUp() {
	c := s.conn
	s.passTurn()
	if !s.queued {
		s.queued = true
		c.queue = append(c.queue, s)
	}
	c.flush()
	s.writable.Wait()
}

// passTurn is for a stream that has had its turn, or has no use for it.
func (s *Stream) passTurn() {
	c := s.conn
	if c.turn == s {
		c.turn = nil
	}
	c.nextTurn()
}

// nextTurn wakes the stream that has waited longest, if there is something to share.
func (c *Conn) nextTurn() {
	if c.turn != nil || len(c.queue) == 0 || !c.isOpen() {
		return
	}
	c.turn = c.queue[0]
	c.queue = slices.Delete(c.queue, 0, 1)
	c.turn.queued = false
	c.turn.writable.Broadcast()
}

// leaveQueue is for a stream that will send no more.
func (s *Stream) leaveQueue() {
	c := s.conn
	if s.queued {
		s.queued = false
		c.queue = slices.DeleteFunc(c.queue, func(other *Stream) bool { return other == s })
	}
	s.passTurn()
}
