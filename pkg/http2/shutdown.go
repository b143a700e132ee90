package http2

import (
	"io"
	"time"
)

// leaving is how far a side that is asked has come with going away (RFC 9113 section 6.8).
type shutdownState uint8

const (
	notShuttingDown shutdownState = iota
	// announced: the peer was told not to open streams, and those that are on their way are still taken.
	goAwayAnnounced
	// left: no more streams are taken, and the peer knows which ones were.
	goAwayFinal
)

// farewell is in the PING whose answer shows that the peer has read the announcement.
var shutdownPing = [8]byte{'f', 'a', 'r', 'e', 'w', 'e', 'l', 'l'}

// patience is for how long that is waited for, in milliseconds.
const goAwayTimeout = 1000

// Leave tells the peer to go elsewhere with what it asks for next. Serve ends with io.EOF when the last stream has. It
// is to be called again from time to time: a peer that does not answer is not waited for.
func (c *Conn) StartGracefulShutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.continueShutdown()
}

// goAway takes the next step, if it is time for it.
func (c *Conn) continueShutdown() {
	switch {
	case c.err != nil:
	case c.shutdown == notShuttingDown:
		c.announceGoAway()
	case c.shutdown == goAwayAnnounced && c.options.Clock()-c.goAwaySentAt > goAwayTimeout:
		c.sendFinalGoAway()
	}
}

func (c *Conn) announceGoAway() {
	c.shutdown, c.goAwaySentAt = goAwayAnnounced, c.options.Clock()
	c.collect(appendPing(appendGoAway(c.output(), maxStream, CodeNone), 0, shutdownPing))
	c.flush()
}

// pinged takes the answer to a PING.
func (c *Conn) processPingAck(data [8]byte) {
	if data == shutdownPing && c.shutdown == goAwayAnnounced {
		c.sendFinalGoAway()
	}
}

func (c *Conn) sendFinalGoAway() {
	c.shutdown, c.lastAcceptedID = goAwayFinal, c.maxPeerID
	c.collect(appendGoAway(c.output(), c.lastAcceptedID, CodeNone))
	c.flush()
	c.closeIfShutDown()
}

// endIfLeft ends a connection that has nothing more to do.
func (c *Conn) closeIfShutDown() {
	if c.shutdown != goAwayFinal || c.owned > 0 || len(c.streams) > 0 || c.err != nil {
		return
	}
	c.failLocked(io.EOF)
	_ = c.socket.SetReadDeadline(time.Unix(1, 0)) // ends the wait for more
}

// takeGoAway notes that the peer takes no more streams, and which ones it has not begun with.
func (c *Conn) processGoAway(f *frame, p []byte) error {
	if f.stream != 0 {
		return protocolError("GOAWAY on a stream")
	}
	if len(p) < 8 {
		return sizeError("GOAWAY of a length that cannot be")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noNewStreams = true
	if c.isServer() {
		return nil
	}
	last := parseStreamID(p)
	for id, s := range c.streams {
		if id > last {
			s.failLocked(ErrRefused)
			delete(c.streams, id)
		}
	}
	c.closeIfRetired()
	return nil
}
