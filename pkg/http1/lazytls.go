package http1

import (
	"crypto/tls"
	"net"
	"syscall"
)

// LazyTLS is a TLS connection over a socket whose reader can wait without holding a buffer. crypto/tls only reads into
// a buffer that the caller holds; so while it reads for a Conn, the socket underneath answers "would block" instead of
// waiting, which crypto/tls passes on without giving up the connection, because the error says that it is temporary.
type LazyTLS struct {
	*tls.Conn
	under *underTLS
}

// NewLazyTLS makes the server side of a TLS connection. The caller runs the handshake before
// the first read: crypto/tls does not forgive a handshake that would block. A conn that is not a socket is served as
// well, but its reader holds a buffer while it waits.
func NewLazyTLS(conn net.Conn, config *tls.Config) *LazyTLS {
	under := newUnderTLS(conn)
	return &LazyTLS{Conn: tls.Server(under, config), under: under}
}

// NewLazyTLSClient makes the client side, like NewLazyTLS.
func NewLazyTLSClient(conn net.Conn, config *tls.Config) *LazyTLS {
	under := newUnderTLS(conn)
	return &LazyTLS{Conn: tls.Client(under, config), under: under}
}

func newUnderTLS(conn net.Conn) *underTLS {
	under := &underTLS{Conn: conn}
	if socket, ok := conn.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			under.raw = raw
			under.tryPeek, under.look = under.peekOnce, under.lookOnce
		}
	}
	return under
}

// underTLS is the socket that crypto/tls reads from.
type underTLS struct {
	net.Conn
	raw syscall.RawConn // nil if the connection is no socket
	// While lazy is set, the poller's call for fd is under way: errWouldBlock is answered instead of waiting.
	lazy bool
	fd   int

	tryPeek, look func(fd uintptr) bool

	peek  [1]byte
	ready bool // what look found
}

func (u *underTLS) Read(p []byte) (int, error) {
	if !u.lazy {
		return u.Conn.Read(p)
	}
	n, err := readSocket(u.fd, p)
	if err == syscall.EAGAIN {
		err = errWouldBlock
	}
	return n, err
}

// wait returns once the socket is readable, or was closed, or its read deadline has passed.
func (u *underTLS) wait() error { return u.raw.Read(u.tryPeek) }

func (u *underTLS) peekOnce(fd uintptr) bool {
	_, err := peekSocket(int(fd), u.peek[:])
	return err != syscall.EAGAIN
}

// lookOnce asks the socket without waiting: it always returns true.
func (u *underTLS) lookOnce(fd uintptr) bool {
	u.ready = u.peekOnce(fd)
	return true
}

// tlsSource reads from a LazyTLS over a socket.
type tlsSource struct {
	conn    *Conn
	tls     *LazyTLS
	tryRead func(fd uintptr) bool
	dry     bool // all that has come was read, when the wait for more was interrupted

	n   int
	err error
}

func newTLSSource(c *Conn, conn *LazyTLS) *tlsSource {
	s := &tlsSource{conn: c, tls: conn}
	s.tryRead = s.readOnce
	return s
}

func (s *tlsSource) read() (int, error) {
	under := s.tls.under
	if s.dry { // a goroutine that goes on with a wait does not need the stack that crypto/tls does
		if err := under.wait(); err != nil {
			return 0, err
		}
		s.dry = false
	}
	s.n, s.err = 0, nil
	if err := under.raw.Read(s.tryRead); err != nil {
		s.dry = s.err == errWouldBlock
		return 0, err
	}
	return s.n, s.err
}

// readOnce is called by the poller, like that of socketSource. What crypto/tls reads meanwhile is read there and then:
// that the socket is found empty after the poller was made ready lets the poller wait.
func (s *tlsSource) readOnce(fd uintptr) bool {
	under := s.tls.under
	under.lazy, under.fd = true, int(fd)
	s.n, s.err = s.tls.Conn.Read(s.conn.room())
	under.lazy = false
	if s.n > 0 {
		s.conn.w += s.n
		return true
	}
	s.conn.Release()
	return s.err != errWouldBlock
}

// readable looks at the socket: whatever has come, if only the end of the session, is not for a request that has not been
// sent. What a server sends of its own accord after the handshake was read with its first answer.
func (s *tlsSource) readable() bool {
	under := s.tls.under
	err := under.raw.Read(under.look)
	return err != nil || under.ready
}

// wouldBlock is the temporary error that crypto/tls passes on without closing the connection
// (readRecordOrCCS in crypto/tls/conn.go, pinned by TestTLSSurvivesWouldBlock).
type wouldBlock struct{}

var errWouldBlock net.Error = wouldBlock{}

func (wouldBlock) Error() string   { return "would block" }
func (wouldBlock) Timeout() bool   { return true }
func (wouldBlock) Temporary() bool { return true }
