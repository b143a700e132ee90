package http1

import (
	"crypto/tls"
	"net"
	"syscall"
)

// LazyTLS is a TLS connection over a socket whose reader can wait without holding a buffer. crypto/tls only reads into
// a buffer that the caller holds; so the socket underneath answers "would block" instead of waiting while lazy is set,
// which crypto/tls passes on without giving up the connection, because the error says that it is temporary.
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
			under.tryRead, under.tryPeek, under.look = under.readOnce, under.peekOnce, under.lookOnce
		}
	}
	return under
}

// underTLS is the socket that crypto/tls reads from.
type underTLS struct {
	net.Conn
	raw  syscall.RawConn // nil if the connection is no socket
	lazy bool            // answer errWouldBlock instead of waiting

	tryRead, tryPeek, look func(fd uintptr) bool

	peek  [1]byte
	ready bool // what look found
	into  []byte
	n     int
	err   error
}

func (u *underTLS) Read(p []byte) (int, error) {
	if !u.lazy || u.raw == nil {
		return u.Conn.Read(p)
	}
	u.into = p
	err := u.raw.Read(u.tryRead)
	u.into = nil
	if err != nil {
		return 0, err
	}
	return u.n, u.err
}

func (u *underTLS) readOnce(fd uintptr) bool {
	u.n, u.err = readSocket(int(fd), u.into)
	if u.err == syscall.EAGAIN {
		u.err = errWouldBlock
	}
	return true
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

// tlsSource reads from a LazyTLS.
type tlsSource struct {
	conn *Conn
	tls  *LazyTLS
	dry  bool // all that has come was read, when the wait for more was interrupted
}

func (s *tlsSource) read() (int, error) {
	for {
		if !s.dry {
			n, err := s.tryRead()
			if n > 0 {
				s.conn.w += n
				return n, nil
			}
			s.conn.Release()
			if err != errWouldBlock {
				return 0, err
			}
		}
		s.dry = true // a goroutine that goes on with the wait does not need the stack that crypto/tls does
		if err := s.tls.under.wait(); err != nil {
			return 0, err
		}
		s.dry = false
	}
}

func (s *tlsSource) tryRead() (int, error) {
	s.tls.under.lazy = true
	defer func() { s.tls.under.lazy = false }()
	return s.tls.Conn.Read(s.conn.room())
}

// readable looks at the socket: whatever has come, if only the end of the session, is not for a request that has not been
// sent. What a server sends of its own accord after the handshake was read with its first answer.
func (s *tlsSource) readable() bool {
	under := s.tls.under
	if under.raw == nil {
		return false
	}
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
