package http1

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// BufferSize is the size of the buffer that a Conn takes while bytes are in it. Most messages fit in one.
const BufferSize = 16 << 10

// longBufferSize is that of the buffer which follows when one was read full, as in the middle of a long body. It takes a
// quarter off the CPU of 1 MiB; 64 KiB take off less.
const longBufferSize = 32 << 10

// ErrStale is returned by Ask where the peer has not read, and will not act on, any of what it was asked: the connection was
// doubted, rightly, or what was written crossed the peer's end on its way.
var ErrStale = errors.New("connection is stale")

// ErrBufferFull is returned by Fill when the buffer has no room and may not grow.
var ErrBufferFull = errors.New("buffer is full")

var (
	buffers     = sync.Pool{New: func() any { return new([BufferSize]byte) }}
	longBuffers = sync.Pool{New: func() any { return new([longBufferSize]byte) }}
)

// Conn is the reading side of a connection, and its writes go straight through. It takes a buffer from a pool only
// when bytes arrive and gives it back as soon as they are consumed, so that an idle connection holds none.
//
// It is owned by one goroutine at a time, except that Write and Close may be called while another one reads.
type Conn struct {
	net.Conn
	source source

	pooled *[BufferSize]byte     // the buffer from the pool under buf, nil if buf has outgrown it
	long   *[longBufferSize]byte // the same of a long one
	buf    []byte                // nil while no byte is held
	r, w   int                   // buf[r:w] was read and is not consumed

	doubted bool // see Doubt
}

// NewConn prepares c for reading. Plain sockets and TLS over them wait without a buffer; of anything else (an
// in-memory pipe in a test) a buffer is held while waiting.
func NewConn(c net.Conn) *Conn {
	conn := &Conn{Conn: c}
	conn.source = newSource(conn, c)
	return conn
}

// Buffered returns the bytes that were read and not consumed. They are valid until the next Fill or Release.
func (c *Conn) Buffered() []byte { return c.buf[c.r:c.w] }

// Consume marks the first n buffered bytes as done with.
func (c *Conn) Consume(n int) { c.r += n }

// Release gives the buffer back if every byte in it was consumed.
func (c *Conn) Release() {
	if c.r < c.w || c.buf == nil {
		return
	}
	c.giveBack()
	c.buf, c.r, c.w = nil, 0, 0
}

// giveBack gives the buffer from a pool back, whose bytes are not needed any more.
func (c *Conn) giveBack() {
	if c.pooled != nil {
		buffers.Put(c.pooled)
	}
	if c.long != nil {
		longBuffers.Put(c.long)
	}
	c.pooled, c.long = nil, nil
}

// Fill waits until at least one more byte is buffered. With limit > 0 the buffer may grow up to that many unconsumed
// bytes, else it stays at BufferSize; ErrBufferFull says that there is no room left. At the end of the stream it
// returns io.EOF.
func (c *Conn) Fill(limit int) error {
	if err := c.makeRoom(limit); err != nil {
		return err
	}
	n, err := c.source.read()
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// Watch waits for bytes and calls take when there are some, until take returns false, or the wait fails. Nothing may be
// buffered when it is called, nor when take returns true. take must not wait for more bytes, nor close the connection, and
// while Watch runs nobody may: closing would wait for its end.
func (c *Conn) Watch(take func() bool) error {
	if s, ok := c.source.(*socketSource); ok {
		return s.watch(take)
	}
	for {
		if err := c.Fill(0); err != nil || !take() {
			return err
		}
	}
}

// Write writes all of p. It may be called while another goroutine reads.
func (c *Conn) Write(p []byte) (int, error) {
	if s, ok := c.source.(*socketSource); ok && len(p) > 0 {
		return s.write(p)
	}
	return c.Conn.Write(p)
}

// Doubt makes the next Ask look, as Stale does, before it writes. That is better than to look before: a peer that closes
// its side in between would else be waited for until time is up, since the poller tells of that once only
// (docs/adr/0029).
func (c *Conn) Doubt() { c.doubted = true }

// Ask writes p, to which the peer is expected to answer, and waits for the first bytes of the answer like Fill.
func (c *Conn) Ask(p []byte, limit int) error {
	if err := c.makeRoom(limit); err != nil {
		return err
	}
	doubted := c.doubted
	c.doubted = false
	if doubted && c.r < c.w {
		return ErrStale
	}
	if s, ok := c.source.(*socketSource); ok {
		n, err := s.ask(p, doubted)
		if err != nil || n == len(p) {
			return err
		}
		p = p[n:]
	}
	if _, err := c.Write(p); err != nil {
		return err
	}
	return c.Fill(limit)
}

// makeRoom moves the unconsumed bytes to the front, or to a larger buffer, when the buffer has no room at its end.
func (c *Conn) makeRoom(limit int) error {
	if c.r == c.w {
		if c.pooled != nil && c.w == BufferSize {
			c.takeLong()
		}
		c.r, c.w = 0, 0
	}
	if c.buf == nil || c.w < len(c.buf) {
		return nil
	}
	if c.r > 0 {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
		return nil
	}
	if len(c.buf) >= limit {
		return ErrBufferFull
	}
	larger := make([]byte, min(4*len(c.buf), limit))
	copy(larger, c.buf)
	c.giveBack()
	c.buf = larger
	return nil
}

func (c *Conn) takeLong() {
	c.giveBack()
	c.long = longBuffers.Get().(*[longBufferSize]byte)
	c.buf = c.long[:]
}

// room returns the free end of the buffer, taking one if none is held.
func (c *Conn) room() []byte {
	if c.buf == nil {
		c.pooled = buffers.Get().(*[BufferSize]byte)
		c.buf = c.pooled[:]
	}
	return c.buf[c.w:]
}

// Read takes buffered bytes first. It is for code that wants an io.Reader; the engine uses Fill and Buffered.
func (c *Conn) Read(p []byte) (int, error) {
	if c.r < c.w {
		n := copy(p, c.Buffered())
		c.Consume(n)
		c.Release()
		return n, nil
	}
	return c.Conn.Read(p)
}

// Stale reports whether an idle connection has been closed by its peer, or has sent bytes that nobody asked for.
// It does not wait. A connection that cannot be asked is taken to be good.
func (c *Conn) Stale() bool {
	if c.r < c.w {
		return true
	}
	return c.source.readable()
}

// source is how bytes get into the buffer of a Conn.
type source interface {
	// read waits for bytes and appends them to the buffer.
	read() (int, error)
	// readable reports, without waiting, whether a read would return at once.
	readable() bool
}

func newSource(c *Conn, conn net.Conn) source {
	switch conn := conn.(type) {
	case *LazyTLS:
		if conn.under.raw != nil {
			return newTLSSource(c, conn)
		}
	case waiter:
		return &waitingSource{plainSource{conn: c}, conn}
	case syscall.Conn:
		if raw, err := conn.SyscallConn(); err == nil {
			return newSocketSource(c, raw)
		}
	}
	return &plainSource{conn: c}
}

// plainSource reads from a connection that is not a socket. It holds the buffer while it waits.
type plainSource struct{ conn *Conn }

func (s *plainSource) read() (int, error) {
	n, err := s.conn.Conn.Read(s.conn.room())
	s.conn.w += n
	if n == 0 {
		s.conn.Release()
	}
	return n, err
}

func (s *plainSource) readable() bool { return false }

// waiter is a connection that can be waited for without a buffer, though it is no socket.
type waiter interface {
	// WaitReadable returns when Read would give something, or fail.
	WaitReadable() error
}

// waitingSource reads from such a connection.
type waitingSource struct {
	plainSource
	waiter waiter
}

func (s *waitingSource) read() (int, error) {
	if err := s.waiter.WaitReadable(); err != nil {
		return 0, err
	}
	return s.plainSource.read()
}
