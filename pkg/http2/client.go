package http2

import (
	"io"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// NewClient makes the side that asks. Its Serve has to be called too.
func NewClient(socket *http1.Conn, w io.Writer, o *Options) *Conn {
	c := newConn(socket, w, o)
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
	return c.err == nil && !c.gone && c.next < maxStream && len(c.streams) < int(c.peer.maxStreams)
}
