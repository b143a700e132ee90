package http1

import (
	"io"
	"syscall"
)

// socketReader reads from a socket. It takes a buffer only once the socket is readable.
type socketReader struct {
	conn *Conn
	raw  syscall.RawConn

	// Callbacks of the poller, created once to avoid allocations.
	tryRead, tryPeek, tryWriteAndWait, tryWatch func(fd uintptr) bool

	// Arguments and state of the reading side, owned by the goroutine that reads.
	take    func() bool // argument of watch
	peek    [1]byte
	pending []byte // the part of writeAndWait's argument that is not written yet
	total   int    // length of writeAndWait's argument
	wrote   bool   // whether writeAndWait has called write
	check   bool   // argument of writeAndWait

	// State of write. It is separate because one goroutine may write while another reads.
	tryWrite func(fd uintptr) bool
	writing  []byte // not written yet
	writeErr error

	// Result of the last callback of the reading side.
	n   int
	err error
}

func newSocketReader(c *Conn, raw syscall.RawConn) *socketReader {
	s := &socketReader{conn: c, raw: raw}
	s.tryRead = s.readOnce
	s.tryPeek = s.peekOnce
	s.tryWriteAndWait = s.askOnce
	s.tryWatch = s.watchOnce
	s.tryWrite = s.writeOnce
	return s
}

func (s *socketReader) read() (int, error) {
	s.n, s.err = 0, nil
	if err := s.raw.Read(s.tryRead); err != nil {
		return 0, err
	}
	return s.n, s.err
}

// readOnce is the poller callback of read. It is called whenever the socket becomes readable, until it returns true.
func (s *socketReader) readOnce(fd uintptr) bool {
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

// watch calls take after each successful read.
//
// All waits are part of a single poller call, which is armed before the first read and registers everything that
// arrives between two waits. This saves the read that would only return EAGAIN, which is 3 % of the CPU time of a
// small request.
func (s *socketReader) watch(take func() bool) error {
	s.take = take
	err := s.raw.Read(s.tryWatch)
	s.take = nil
	if err != nil {
		return err
	}
	return s.err
}

// watchOnce waits only after a read that emptied the socket, because the poller reports earlier bytes only once
// (epoll(7), question 9).
func (s *socketReader) watchOnce(fd uintptr) bool {
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

// writeAndWait writes p and waits for the first bytes of the response. It returns how much of p was written; the caller must
// write the rest. The poller is armed before the write, so it misses nothing. This saves a read that would only
// return EAGAIN, which is 2 % of the CPU time of a small request.
//
// If check is set, writeAndWait first checks whether there is anything to read, which cannot be a response, and then
// returns ErrStale.
//
// It also returns ErrStale if the stream ended and the peer acknowledged none of p. The kernel of a peer that
// received a part of p before it closed its side would have acknowledged that part. A reset proves nothing, because
// what it acknowledges is not counted (docs/adr/0041).
func (s *socketReader) writeAndWait(p []byte, check bool) (written int, err error) {
	s.n, s.err, s.pending, s.total, s.wrote, s.check = 0, nil, p, len(p), false, check
	err = s.raw.Read(s.tryWriteAndWait)
	written = len(p) - len(s.pending)
	s.pending = nil
	if err != nil {
		return written, err
	}
	return written, s.err
}

func (s *socketReader) askOnce(fd uintptr) bool {
	if s.wrote {
		done := s.readOnce(fd)
		if s.err == io.EOF && unacknowledged(int(fd)) >= s.total {
			s.err = ErrStale
		}
		return done
	}
	s.wrote = true
	if s.check && s.hasMore(int(fd)) {
		s.err = ErrStale
		return true
	}
	n, err := writeSocket(int(fd), s.pending)
	s.pending = s.pending[n:]
	s.err = err
	return err != nil || len(s.pending) > 0
}

func (s *socketReader) readable() bool {
	s.n, s.err = 0, nil
	if s.raw.Read(s.tryPeek) != nil {
		return true
	}
	return s.err != syscall.EAGAIN
}

// peekOnce peeks at the socket without waiting. It always returns true.
func (s *socketReader) peekOnce(fd uintptr) bool {
	s.n, s.err = peekSocket(int(fd), s.peek[:])
	return true
}

// hasMore reports whether a read would return immediately, with bytes or an error.
func (s *socketReader) hasMore(fd int) bool {
	_, err := peekSocket(fd, s.peek[:])
	return err != syscall.EAGAIN
}

// write writes all of p, and waits while the send buffer is full.
func (s *socketReader) write(p []byte) (int, error) {
	s.writing, s.writeErr = p, nil
	err := s.raw.Write(s.tryWrite)
	written := len(p) - len(s.writing)
	s.writing = nil
	if err == nil {
		err = s.writeErr
	}
	return written, err
}

func (s *socketReader) writeOnce(fd uintptr) bool {
	n, err := writeSocket(int(fd), s.writing)
	s.writing = s.writing[n:]
	s.writeErr = err
	return err != nil || len(s.writing) == 0
}
