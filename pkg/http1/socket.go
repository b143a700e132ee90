package http1

import (
	"io"
	"syscall"
)

// socketSource reads from a socket, and takes the buffer only once the socket is readable.
type socketSource struct {
	conn *Conn
	raw  syscall.RawConn
	// The closures are made once: a request allocates nothing.
	tryRead, tryPeek, tryAsk, tryWatch func(fd uintptr) bool
	take                               func() bool
	peek                               [1]byte
	question                           []byte // what ask has yet to write
	length                             int    // of the whole of it
	asked, doubted                     bool

	// The writing side has variables of its own: it may be busy while the other side reads.
	tryWrite func(fd uintptr) bool
	saying   []byte
	sayErr   error

	n   int
	err error
}

func newSocketSource(c *Conn, raw syscall.RawConn) *socketSource {
	s := &socketSource{conn: c, raw: raw}
	s.tryRead = s.readOnce
	s.tryPeek = s.peekOnce
	s.tryAsk = s.askOnce
	s.tryWatch = s.watchOnce
	s.tryWrite = s.writeOnce
	return s
}

func (s *socketSource) read() (int, error) {
	s.n, s.err = 0, nil
	if err := s.raw.Read(s.tryRead); err != nil {
		return 0, err
	}
	return s.n, s.err
}

// readOnce is called by the runtime's poller, and again each time the socket becomes readable until it returns true.
func (s *socketSource) readOnce(fd uintptr) bool {
	n, err := readSocket(int(fd), s.conn.room())
	if err == syscall.EAGAIN {
		s.conn.Release()
		return false
	}
	s.n, s.err = n, err
	s.conn.w += n
	if n == 0 {
		s.conn.Release()
	}
	return true
}

// watch reads whenever there is something, and calls take. It saves the read that would only find that nothing has come,
// which is 3 % of the CPU of a small request: all waits are part of one call of the poller, which was made ready before the
// first of them and notes whatever comes between two.
func (s *socketSource) watch(take func() bool) error {
	s.take = take
	err := s.raw.Read(s.tryWatch)
	s.take = nil
	if err != nil {
		return err
	}
	return s.err
}

// watchOnce waits only after a read that has emptied the socket: of what was there before, the poller tells once (epoll(7),
// question 9).
func (s *socketSource) watchOnce(fd uintptr) bool {
	for {
		room := len(s.conn.room())
		if !s.readOnce(fd) {
			return false
		}
		n := s.n
		if s.err != nil || !s.take() {
			return true
		}
		if n < room {
			return false
		}
	}
}

// ask writes p and then waits for the first bytes of what the peer says to it, which saves the read that would only
// find that they have not come yet: the poller was made ready before the write, so that it misses nothing (2 % of the
// CPU of a small request). It returns how much of p was written; the rest must be written by the caller.
// With doubted set it looks first whether there is anything to read, which would be no answer: ErrStale.
//
// So is an end that came before any of p: the kernel of a peer that ended its side after it had received some would have
// acknowledged that with the end, whether or not a process had read it, and a peer that has ended its side cannot answer. A
// reset proves nothing: what it acknowledges is not counted (docs/adr/0041).
func (s *socketSource) ask(p []byte, doubted bool) (written int, err error) {
	s.n, s.err, s.question, s.length, s.asked, s.doubted = 0, nil, p, len(p), false, doubted
	err = s.raw.Read(s.tryAsk)
	written = len(p) - len(s.question)
	s.question = nil
	if err != nil {
		return written, err
	}
	return written, s.err
}

func (s *socketSource) askOnce(fd uintptr) bool {
	if s.asked {
		done := s.readOnce(fd)
		if s.err == io.EOF && unacknowledged(int(fd)) >= s.length {
			s.err = ErrStale
		}
		return done
	}
	s.asked = true
	if s.doubted && s.hasMore(int(fd)) {
		s.err = ErrStale
		return true
	}
	n, err := writeSocket(int(fd), s.question)
	s.question = s.question[n:]
	s.err = err
	return err != nil || len(s.question) > 0
}

func (s *socketSource) readable() bool {
	s.n, s.err = 0, nil
	if s.raw.Read(s.tryPeek) != nil {
		return true
	}
	return s.err != syscall.EAGAIN
}

// peekOnce asks the socket without waiting: it always returns true.
func (s *socketSource) peekOnce(fd uintptr) bool {
	s.n, s.err = peekSocket(int(fd), s.peek[:])
	return true
}

// hasMore reports whether a read would return at once, with bytes or an end.
func (s *socketSource) hasMore(fd int) bool {
	_, err := peekSocket(fd, s.peek[:])
	return err != syscall.EAGAIN
}

// write writes all of p, waiting while the peer does not take more.
func (s *socketSource) write(p []byte) (int, error) {
	s.saying, s.sayErr = p, nil
	err := s.raw.Write(s.tryWrite)
	written := len(p) - len(s.saying)
	s.saying = nil
	if err == nil {
		err = s.sayErr
	}
	return written, err
}

func (s *socketSource) writeOnce(fd uintptr) bool {
	n, err := writeSocket(int(fd), s.saying)
	s.saying = s.saying[n:]
	s.sayErr = err
	return err != nil || len(s.saying) == 0
}
