package http1

import (
	"crypto/tls"
	"net"
	"syscall"
)

// LazyTLS is a TLS connection over a socket that a Conn can wait for without holding a buffer.
//
// crypto/tls requires a buffer while it waits. So during a read for a Conn, the socket returns a temporary "would
// block" error instead of waiting. crypto/tls returns this error without failing the connection.
type LazyTLS struct {
	*tls.Conn
	under *nonblockConn
}

// NewLazyTLS returns the server side of a TLS connection. The caller must complete the handshake before the first
// read, because a handshake does not tolerate temporary errors. If conn is not a socket, its reader holds a buffer
// while it waits.
func NewLazyTLS(conn net.Conn, config *tls.Config) *LazyTLS {
	under := newNonblockConn(conn)
	return &LazyTLS{Conn: tls.Server(under, config), under: under}
}

// NewLazyTLSClient returns the client side of a TLS connection. See NewLazyTLS.
func NewLazyTLSClient(conn net.Conn, config *tls.Config) *LazyTLS {
	under := newNonblockConn(conn)
	return &LazyTLS{Conn: tls.Client(under, config), under: under}
}

func newNonblockConn(conn net.Conn) *nonblockConn {
	under := &nonblockConn{Conn: conn}
	if socket, ok := conn.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			under.raw = raw
			under.tryPeek, under.look = under.peekOnce, under.lookOnce
		}
	}
	return under
}

// nonblockConn is the socket that crypto/tls reads from.
type nonblockConn struct {
	net.Conn
	raw syscall.RawConn // nil if the connection is not a socket
	// nonblocking is set during a poller callback for fd. Read then returns errWouldBlock instead of waiting.
	nonblocking bool
	fd          int

	tryPeek, look func(fd uintptr) bool

	peek  [1]byte
	ready bool // result of look
}

func (u *nonblockConn) Read(p []byte) (int, error) {
	if !u.nonblocking {
		return u.Conn.Read(p)
	}
	n, err := readSocket(u.fd, p)
	if err == syscall.EAGAIN {
		err = errWouldBlock
	}
	return n, err
}

// wait returns once the socket is readable or closed, or its read deadline has passed.
func (u *nonblockConn) wait() error { return u.raw.Read(u.tryPeek) }

func (u *nonblockConn) peekOnce(fd uintptr) bool {
	_, err := peekSocket(int(fd), u.peek[:])
	return err != syscall.EAGAIN
}

// lookOnce peeks at the socket without waiting. It always returns true.
func (u *nonblockConn) lookOnce(fd uintptr) bool {
	u.ready = u.peekOnce(fd)
	return true
}

// tlsReader reads from a LazyTLS over a socket.
type tlsReader struct {
	conn    *Conn
	tls     *LazyTLS
	tryRead func(fd uintptr) bool
	drained bool // all received bytes were read, and the wait for more was interrupted

	// Result of the last callback.
	n   int
	err error
}

func newTLSReader(c *Conn, conn *LazyTLS) *tlsReader {
	s := &tlsReader{conn: c, tls: conn}
	s.tryRead = s.readOnce
	return s
}

func (s *tlsReader) read() (int, error) {
	under := s.tls.under
	if s.drained { // resume the wait without the large stack that crypto/tls needs
		if err := under.wait(); err != nil {
			return 0, err
		}
		s.drained = false
	}
	s.n, s.err = 0, nil
	if err := under.raw.Read(s.tryRead); err != nil {
		s.drained = s.err == errWouldBlock
		return 0, err
	}
	return s.n, s.err
}

// readOnce is the poller callback, like socketReader.readOnce. crypto/tls reads from the socket within the
// callback, after the poller was armed. So if the socket is found empty, the poller can wait.
func (s *tlsReader) readOnce(fd uintptr) bool {
	under := s.tls.under
	under.nonblocking, under.fd = true, int(fd)
	s.n, s.err = s.tls.Conn.Read(s.conn.room())
	under.nonblocking = false
	if s.n > 0 {
		s.conn.w += s.n
		return true
	}
	s.conn.Release()
	return s.err != errWouldBlock
}

// readable peeks at the socket. Any received bytes make the connection stale, even if they only end the session.
// Messages that a server sends after the handshake were read with its first response.
func (s *tlsReader) readable() bool {
	under := s.tls.under
	err := under.raw.Read(under.look)
	return err != nil || under.ready
}

// wouldBlock is a temporary error, which crypto/tls returns without failing the connection
// (readRecordOrCCS in crypto/tls/conn.go, pinned by TestLazyTLS_wouldBlock).
type wouldBlock struct{}

var errWouldBlock net.Error = wouldBlock{}

func (wouldBlock) Error() string   { return "would block" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }
