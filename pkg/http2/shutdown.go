package http2

import (
	"io"
	"time"
)

// shutdownState is the progress of a server's graceful shutdown (RFC 9113 section 6.8).
type shutdownState uint8

const (
	notShuttingDown shutdownState = iota
	// goAwayAnnounced: a GOAWAY with the largest stream ID was sent. Streams in flight are still accepted.
	goAwayAnnounced
	// goAwayFinal: the final GOAWAY was sent. Streams above its last stream ID are ignored.
	goAwayFinal
)

// shutdownPing is the payload of the PING whose acknowledgment shows that the peer has read the first GOAWAY.
var shutdownPing = [8]byte{'f', 'a', 'r', 'e', 'w', 'e', 'l', 'l'}

// goAwayTimeout limits the wait for that acknowledgment, in milliseconds.
const goAwayTimeout = 1000

// StartGracefulShutdown sends GOAWAY. Streams in progress continue, and Serve returns io.EOF after the last of them. It does
// not wait for that. Call it again from time to time, so that a peer that does not acknowledge the first GOAWAY gets the
// final one.
func (c *Conn) StartGracefulShutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.continueShutdown()
}

// continueShutdown takes the next step of the shutdown if it is due.
func (c *Conn) continueShutdown() {
	switch {
	case c.err != nil:
	case c.shutdown == notShuttingDown:
		c.announceGoAway()
	case c.shutdown == goAwayAnnounced && c.options.Clock()-c.goAwaySentAt > goAwayTimeout:
		c.sendFinalGoAway()
	}
}

// announceGoAway sends the first GOAWAY, and the PING that shows when the peer has read it.
func (c *Conn) announceGoAway() {
	c.shutdown, c.goAwaySentAt = goAwayAnnounced, c.options.Clock()
	c.setOutput(appendPing(appendGoAway(c.output(), maxStream, CodeNone), 0, shutdownPing))
	c.flush()
}

// processPingAck processes the acknowledgment of a PING.
func (c *Conn) processPingAck(data [8]byte) {
	if data == shutdownPing && c.shutdown == goAwayAnnounced {
		c.sendFinalGoAway()
	}
}

// sendFinalGoAway sends the GOAWAY with the last stream ID that is accepted.
func (c *Conn) sendFinalGoAway() {
	c.shutdown, c.lastAcceptedID = goAwayFinal, c.maxPeerID
	c.setOutput(appendGoAway(c.output(), c.lastAcceptedID, CodeNone))
	c.flush()
	c.closeIfShutDown()
}

// closeIfShutDown ends a connection whose shutdown is complete.
func (c *Conn) closeIfShutDown() {
	if c.shutdown != goAwayFinal || c.owned > 0 || len(c.streams) > 0 || c.err != nil {
		return
	}
	c.failLocked(io.EOF)
	_ = c.socket.SetReadDeadline(time.Unix(1, 0)) // interrupts Serve
}

// processGoAway fails the streams that the peer will not process, and prevents new ones.
func (c *Conn) processGoAway(f *frame, p []byte) error {
	if f.stream != 0 {
		return protocolError("GOAWAY with a stream ID")
	}
	if len(p) < 8 {
		return sizeError("GOAWAY with invalid length")
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
