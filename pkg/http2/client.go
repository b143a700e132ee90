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
	c.idleFrom, c.greeted = time.Now(), make(chan struct{})
	c.collect(o.appendSettings(append(c.output(), Preface...), true))
	return c
}

var errNotGreeted = errors.New("the peer has not said in time what it allows")

// AwaitSettings waits until the peer has said what it allows, so that no more is asked of it.
func (c *Conn) AwaitSettings(most time.Duration) error {
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case <-c.greeted:
		return c.Err()
	case <-late.C:
		return errNotGreeted
	}
}

// endGreeting lets those go on who wait for settings.
func (c *Conn) endGreeting() {
	if !c.peer.known && c.greeted != nil {
		close(c.greeted)
	}
	c.peer.known = true
}

// Open begins a request with its field section, which is collected. With end set nothing follows it. bodiless says that no
// body belongs to the answer, whatever it says, as with HEAD. The error is ErrFull.
func (c *Conn) Open(block []byte, end, bodiless bool) (*Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.hasRoom() {
		return nil, ErrFull
	}
	s := c.newStream(c.next)
	s.bodiless, s.askedIn = bodiless, c.taken
	c.next += 2
	c.running++
	s.appendBlock(block, end)
	return s, nil
}

// hasRoom goes by what the peer allows to be open, and by what there is a window for: answers that have ended wait in it too.
func (c *Conn) hasRoom() bool {
	return c.err == nil && !c.gone && c.next < maxStream && len(c.streams) < int(c.peer.maxStreams) &&
		c.running < c.options.ConnectionWindow/c.options.StreamWindow && c.pending() < mostAsked
}

// withdraw takes back what was collected and not written: the peer has seen nothing of the requests in it. What is written
// first stays, the preface is in it.
func (c *Conn) withdraw() {
	if c.out == nil || c.taken == 0 {
		return
	}
	for id, s := range c.streams {
		if s.askedIn == c.taken {
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
	c.gone = true
	c.endIfRetired()
}

// endIfRetired closes the side that asks once it has nothing to ask for any more.
func (c *Conn) endIfRetired() {
	if c.isServer() || !c.gone || c.running > 0 || c.err != nil {
		return
	}
	c.abandon(ErrClosed)
}

// abandon closes the socket too, without waiting for that: over TLS it takes seconds where the peer does not read.
func (c *Conn) abandon(why error) {
	c.failLocked(why)
	go c.socket.Close()
}

// Tidy retires a connection that has had no stream since before the given time. One that has, but on which nothing has
// come since the last call, has to show with a PING that its peer is there; until the next call. One PING is sent for streams
// that were opened since the last: a peer that is pinged again and again while it has nothing to say may take that for an
// attack, as grpc-go does, and end all that is open.
func (c *Conn) Tidy(before time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.in.frames.Load()
	switch {
	case c.err != nil:
	case c.running == 0 && c.idleFrom.Before(before):
		c.gone = true
		c.endIfRetired()
	case c.running == 0:
	case heard != c.heard:
		c.heard, c.asked = heard, false
	case c.asked:
		c.abandon(errSilent)
	case c.askedAt < c.next:
		c.asked, c.askedAt = true, c.next
		c.collect(appendPing(c.output(), 0, [8]byte{'t', 'h', 'e', 'r', 'e', '?'}))
		c.flush()
	}
}

var errSilent = errors.New("the peer does not answer a PING")
