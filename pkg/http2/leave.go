package http2

import (
	"io"
	"time"
)

// leaving is how far a side that is asked has come with going away (RFC 9113 section 6.8).
type leaving uint8

const (
	staying leaving = iota
	// announced: the peer was told not to open streams, and those that are on their way are still taken.
	announced
	// left: no more streams are taken, and the peer knows which ones were.
	left
)

// farewell is in the PING whose answer shows that the peer has read the announcement.
var farewell = [8]byte{'f', 'a', 'r', 'e', 'w', 'e', 'l', 'l'}

// patience is for how long that is waited for, in milliseconds.
const patience = 1000

// Leave tells the peer to go elsewhere with what it asks for next. Serve ends with io.EOF when the last stream has. It
// is to be called again from time to time: a peer that does not answer is not waited for.
func (c *Conn) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.goAway()
}

// goAway takes the next step, if it is time for it.
func (c *Conn) goAway() {
	switch {
	case c.err != nil:
	case c.leaving == staying:
		c.announce()
	case c.leaving == announced && c.options.Clock()-c.saidAt > patience:
		c.leave()
	}
}

func (c *Conn) announce() {
	c.leaving, c.saidAt = announced, c.options.Clock()
	c.collect(appendPing(appendGoAway(c.output(), maxStream, CodeNone), 0, farewell))
	c.flush()
}

// pinged takes the answer to a PING.
func (c *Conn) pinged(data [8]byte) {
	if data == farewell && c.leaving == announced {
		c.leave()
	}
}

func (c *Conn) leave() {
	c.leaving, c.lastTaken = left, c.lastPeer
	c.collect(appendGoAway(c.output(), c.lastTaken, CodeNone))
	c.flush()
	c.endIfLeft()
}

// endIfLeft ends a connection that has nothing more to do.
func (c *Conn) endIfLeft() {
	if c.leaving != left || c.running > 0 || len(c.streams) > 0 || c.err != nil {
		return
	}
	c.failLocked(io.EOF)
	_ = c.socket.SetReadDeadline(time.Unix(1, 0)) // ends the wait for more
}

// takeGoAway notes that the peer takes no more streams, and which ones it has not begun with.
func (c *Conn) takeGoAway(f *frame, p []byte) error {
	if f.stream != 0 {
		return protocolError("GOAWAY on a stream")
	}
	if len(p) < 8 {
		return sizeError("GOAWAY of a length that cannot be")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	if c.isServer() {
		return nil
	}
	last := streamIn(p)
	for id, s := range c.streams {
		if id > last {
			s.failLocked(ErrRefused)
			delete(c.streams, id)
		}
	}
	c.endIfRetired()
	return nil
}
