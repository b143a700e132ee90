package http1

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// BufferSize is the size in bytes of the pooled buffers of Conn and Output. Most messages fit into one.
const BufferSize = 16 << 10

// longBufferSize is the size of the buffer that replaces one that was filled completely, as within a long body. It
// reduces the CPU time of a 1 MiB body by a quarter. 64 KiB saves less.
const longBufferSize = 32 << 10

// ErrStale is returned by WriteAndWait if the peer has not processed any of the bytes, so that they can be sent on another
// connection. Either CheckBeforeWrite was called and the connection turned out to be closed, or the peer closed it before it
// received any of the bytes.
var ErrStale = errors.New("http1: connection is stale")

// ErrBufferFull is returned by Fill if the buffer is full and may not grow.
var ErrBufferFull = errors.New("http1: buffer is full")

var (
	buffers     = sync.Pool{New: func() any { return new([BufferSize]byte) }}
	longBuffers = sync.Pool{New: func() any { return new([longBufferSize]byte) }}
)

// Conn is a connection with a read buffer. Writes are not buffered.
//
// It takes a buffer from a pool when bytes arrive, and returns it once all bytes are consumed. So an idle
// connection holds no buffer.
//
// A Conn must be used by one goroutine at a time, except that Write and Close may be called while another goroutine
// reads.
type Conn struct {
	net.Conn
	reader fillReader

	pooled *[BufferSize]byte     // backs buf, or nil
	long   *[longBufferSize]byte // backs buf, or nil
	buf    []byte                // nil while nothing is buffered
	r, w   int                   // buf[r:w] is not consumed yet

	checkBeforeWrite bool // see CheckBeforeWrite
}

// NewConn returns a Conn that reads from c. With sockets, and TLS over sockets (LazyTLS), no buffer is held while
// waiting. With other connections, such as net.Pipe, a buffer is held while waiting.
func NewConn(c net.Conn) *Conn {
	conn := &Conn{Conn: c}
	conn.reader = newReader(conn, c)
	return conn
}

// Buffered returns the bytes that were read and not consumed. They are valid until the next Fill or Release.
func (c *Conn) Buffered() []byte { return c.buf[c.r:c.w] }

// Consume discards the first n buffered bytes. n must not exceed the length of Buffered.
func (c *Conn) Consume(n int) { c.r += n }

// Release returns the buffer to its pool if all bytes were consumed.
func (c *Conn) Release() {
	if c.r < c.w || c.buf == nil {
		return
	}
	c.returnBuffers()
	c.buf, c.r, c.w = nil, 0, 0
}

// returnBuffers returns the pooled buffers. Their bytes must not be used afterwards.
func (c *Conn) returnBuffers() {
	if c.pooled != nil {
		buffers.Put(c.pooled)
	}
	if c.long != nil {
		longBuffers.Put(c.long)
	}
	c.pooled, c.long = nil, nil
}

// Fill waits until at least one more byte is buffered. The buffer grows to at most limit unconsumed bytes, and
// stays at BufferSize if limit is 0. Fill returns ErrBufferFull if the buffer is full, and io.EOF at the end of the
// stream.
func (c *Conn) Fill(limit int) error {
	if err := c.makeRoom(limit); err != nil {
		return err
	}
	n, err := c.reader.read()
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// Watch waits for bytes and calls take each time some are buffered. It returns nil when take returns false, or the
// error of the wait.
//
// Nothing may be buffered when Watch is called or when take returns true. take must not wait for more bytes. The
// connection must not be closed while Watch runs, by take or by another goroutine, because closing would wait for
// Watch to return.
func (c *Conn) Watch(take func() bool) error {
	if s, ok := c.reader.(*socketReader); ok {
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
	if s, ok := c.reader.(*socketReader); ok && len(p) > 0 {
		return s.write(p)
	}
	return c.Conn.Write(p)
}

// CheckBeforeWrite makes the next WriteAndWait check, like Stale, whether the peer has closed the connection before it
// writes. Calling Stale before WriteAndWait is not enough: if the peer closes in between, WriteAndWait would wait until its
// deadline, because the poller reports the close only once (docs/adr/0029).
func (c *Conn) CheckBeforeWrite() { c.checkBeforeWrite = true }

// WriteAndWait writes the request p, and waits for the first bytes of the response like Fill. It returns ErrStale if p can
// be sent on another connection.
func (c *Conn) WriteAndWait(p []byte, limit int) error {
	if err := c.makeRoom(limit); err != nil {
		return err
	}
	check := c.checkBeforeWrite
	c.checkBeforeWrite = false
	if check && c.r < c.w {
		return ErrStale
	}
	if s, ok := c.reader.(*socketReader); ok {
		n, err := s.writeAndWait(p, check)
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

// makeRoom makes space at the end of the buffer. It moves the unconsumed bytes to the start, or to a larger buffer.
func (c *Conn) makeRoom(limit int) error {
	if c.r == c.w {
		if c.pooled != nil && c.w == BufferSize {
			c.useLongBuffer()
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
	c.returnBuffers()
	c.buf = larger
	return nil
}

func (c *Conn) useLongBuffer() {
	c.returnBuffers()
	c.long = longBuffers.Get().(*[longBufferSize]byte)
	c.buf = c.long[:]
}

// room returns the free space of the buffer. It takes a buffer from the pool if c has no buffer.
func (c *Conn) room() []byte {
	if c.buf == nil {
		c.pooled = buffers.Get().(*[BufferSize]byte)
		c.buf = c.pooled[:]
	}
	return c.buf[c.w:]
}

// Read implements io.Reader. It returns buffered bytes first. The engine uses Fill and Buffered instead.
func (c *Conn) Read(p []byte) (int, error) {
	if c.r < c.w {
		n := copy(p, c.Buffered())
		c.Consume(n)
		c.Release()
		return n, nil
	}
	return c.Conn.Read(p)
}

// Stale reports, without blocking, whether an idle connection was closed by its peer or has received unexpected
// bytes. It returns false if the connection does not support the check.
func (c *Conn) Stale() bool {
	if c.r < c.w {
		return true
	}
	return c.reader.readable()
}

// fillReader reads bytes into the buffer of a Conn.
type fillReader interface {
	// read waits for bytes and appends them to the buffer. It returns their number.
	read() (int, error)
	// readable reports, without blocking, whether a read would return immediately.
	readable() bool
}

func newReader(c *Conn, conn net.Conn) fillReader {
	switch conn := conn.(type) {
	case *LazyTLS:
		if conn.under.raw != nil {
			return newTLSReader(c, conn)
		}
	case waiter:
		return &waitReader{plainReader{conn: c}, conn}
	case syscall.Conn:
		if raw, err := conn.SyscallConn(); err == nil {
			return newSocketReader(c, raw)
		}
	}
	return &plainReader{conn: c}
}

// plainReader reads from a connection that is not a socket. It holds a buffer while it waits.
type plainReader struct{ conn *Conn }

func (s *plainReader) read() (int, error) {
	n, err := s.conn.Conn.Read(s.conn.room())
	s.conn.w += n
	if n == 0 {
		s.conn.Release()
	}
	return n, err
}

func (s *plainReader) readable() bool { return false }

// waiter is implemented by connections, other than sockets, that can wait without a buffer.
type waiter interface {
	// WaitReadable returns when Read would not block.
	WaitReadable() error
}

// waitReader reads from a waiter.
type waitReader struct {
	plainReader
	waiter waiter
}

func (s *waitReader) read() (int, error) {
	if err := s.waiter.WaitReadable(); err != nil {
		return 0, err
	}
	return s.plainReader.read()
}
