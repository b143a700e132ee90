package http2

import (
	"errors"
	"io"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// NewClient makes the side that asks. Its Serve has to be called too.
func NewClient(socket *http1.Conn, w io.Writer, o *Options) *Conn {
	c := newConn(socket, w, o)
	c.idleSince, c.settingsReceived = time.Now(), make(chan struct{})
	c.collect(o.appendSettings(append(c.output(), Preface...), true))
	return c
}

var errSettingsTimeout = errors.New("the peer has not said in time what it allows")

// AwaitSettings waits until the peer has said what it allows, so that no more is asked of it.
func (c *Conn) AwaitSettings(timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.settingsReceived:
		return c.Err()
	case <-timer.C:
		return errSettingsTimeout
	}
}

// endGreeting lets those go on who wait for settings.
func (c *Conn) markSettingsReceived() {
	if !c.peer.received && c.settingsReceived != nil {
		close(c.settingsReceived)
	}
	c.peer.received = true
}

// Open begins a request with its field section, which is collected. With end set nothing follows it. bodiless says that no
// body belongs to the answer, whatever it says, as with HEAD. The error is ErrFull.
func (c *Conn) Open(block []byte, endStream, noBody bool) (*Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.canOpenStream() {
		return nil, ErrFull
	}
	s := c.newStream(c.nextID)
	s.noBody, s.openSeq = noBody, c.outputSeq
	c.nextID += 2
	c.owned++
	s.appendBlock(block, endStream)
	return s, nil
}

// hasRoom goes by what the peer allows to be open, and by what there is a window for: answers that have ended wait in it too.
func (c *Conn) canOpenStream() bool {
	return c.err == nil && !c.noNewStreams && c.nextID < maxStream && len(c.streams) < int(c.peer.maxStreams) &&
		c.owned < c.options.ConnectionWindow/c.options.StreamWindow && c.pending() < maxPendingRequests
}

// withdraw takes back what was collected and not written: the peer has seen nothing of the requests in it. What is written
// first stays, the preface is in it.
func (c *Conn) refuseUnwritten() {
	if c.out == nil || c.outputSeq == 0 {
		return
	}
	for id, s := range c.streams {
		if s.openSeq == c.outputSeq {
			s.failLocked(ErrRefused)
			delete(c.streams, id)
		}
	}
	c.out = nil
}

// Retire ends the connection with its last stream: no further ones are opened.
func (c *Conn) Retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noNewStreams = true
	c.closeIfRetired()
}

// endIfRetired closes the side that asks once it has nothing to ask for any more.
func (c *Conn) closeIfRetired() {
	if c.isServer() || !c.noNewStreams || c.owned > 0 || c.err != nil {
		return
	}
	c.closeWithError(ErrClosed)
}

// abandon closes the socket too, without waiting for that: over TLS it takes seconds where the peer does not read.
func (c *Conn) closeWithError(err error) {
	c.failLocked(err)
	go c.socket.Close()
}

// Tidy retires a connection that has had no stream since before the given time. One that has, but on which nothing has
// come since the last call, has to show with a PING that its peer is there; until the next call. One PING is sent for streams
// that were opened since the last: a peer that is pinged again and again while it has nothing to say may take that for an
// attack, as grpc-go does, and end all that is open.
func (c *Conn) CheckHealth(idleBefore time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.recv.framesReceived.Load()
	switch {
	case c.err != nil:
	case c.owned == 0 && c.idleSince.Before(idleBefore):
		c.noNewStreams = true
		c.closeIfRetired()
	case c.owned == 0:
	case frames != c.framesAtLastCheck:
		c.framesAtLastCheck, c.pingSent = frames, false
	case c.pingSent:
		c.closeWithError(errPingTimeout)
	case c.pingSentAt < c.nextID:
		c.pingSent, c.pingSentAt = true, c.nextID
		c.collect(appendPing(c.output(), 0, [8]byte{'t', 'h', 'e', 'r', 'e', '?'}))
		c.flush()
	}
}

var errPingTimeout = errors.New("the peer does not answer a PING")
