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
	c.idleFrom = time.Now()
	c.collect(o.appendSettings(append(c.output(), Preface...), true))
	return c
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
	s.bodiless = bodiless
	c.next += 2
	c.running++
	s.appendBlock(block, end)
	return s, nil
}

func (c *Conn) hasRoom() bool {
	return c.err == nil && !c.gone && c.next < maxStream && len(c.streams) < c.mostStreams()
}

// mostStreams is no more than the window of the connection has room for: one whose body nobody reads holds up no other.
func (c *Conn) mostStreams() int {
	return min(int(c.peer.maxStreams), c.options.ConnectionWindow/c.options.StreamWindow)
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
	c.failLocked(ErrClosed)
	c.socket.Close()
}

// Tidy retires a connection that has had no stream since before the given time. One that has, but on which nothing has
// come since the last call, has to show with a PING that its peer is there; until the next call.
func (c *Conn) Tidy(before time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch heard := c.in.frames.Load() != c.heard; {
	case c.err != nil:
	case c.running == 0:
		if c.idleFrom.Before(before) {
			c.gone = true
			c.endIfRetired()
		}
		return
	case heard:
		c.heard, c.asked = c.in.frames.Load(), false
	case c.asked:
		c.failLocked(errSilent)
		c.socket.Close()
	default:
		c.asked = true
		c.collect(appendPing(c.output(), 0, [8]byte{'t', 'h', 'e', 'r', 'e', '?'}))
		c.flush()
	}
}

var errSilent = errors.New("the peer does not answer a PING")
