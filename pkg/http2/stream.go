package http2

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// Stream is one request and its response. One goroutine may receive while another one sends. The other methods are safe for
// concurrent use. The owner must Close it.
type Stream struct {
	// Head is the head of the request, or the head that AwaitHead returned last.
	Head *Head

	conn *Conn
	id   uint32

	// Owned by the owner of the stream: the bytes that are charged to the account of the connection for everything but the
	// body, and the part of them that remains without the head.
	charged, chargedWithoutHead int

	// The following are guarded by conn.mu.
	err error // the error that the stream failed with

	// Receiving. The conditions use conn.mu.
	readable       sync.Cond // a head, data or the end was received, or reading fails
	readExpired    bool      // the read deadline has passed
	recvEnded      bool      // END_STREAM was received
	headReceived   bool      // the head of the request or of the final response was received
	omitsBody      bool      // the response has no body regardless of its head
	recvWindow     int64
	pendingCredit  int     // bytes that were consumed and not returned to the peer's window yet
	heads          []*Head // not yet returned by AwaitHead
	interimCount   int
	trailers       *Head
	declaredLength int64 // Content-Length, -1 if unknown
	receivedLength int64
	firstBlock     *dataBlock // unread data
	lastBlock      *dataBlock
	blockCount     int
	lastSpan       int             // length of the span that Next returned last
	account        *memory.Account // charged for unread data

	// Sending.
	writable     sync.Cond // the window was increased, it is the turn of the stream, or sending fails
	writeExpired bool      // the write deadline has passed
	sendEnded    bool      // END_STREAM was buffered
	queued       bool      // in conn.sendQueue
	hasFrame     bool      // frameSeq and frameOffset are set
	openSeq      uint32    // conn.outputSeq when the stream was opened from this side
	frameSeq     uint32    // conn.outputSeq when the last frame was buffered
	frameOffset  int       // of that frame in the output
	sendWindow   int64
}

// newStream returns a stream that is open in both directions.
func (c *Conn) newStream(id uint32) *Stream {
	s := &Stream{
		conn: c, id: id, declaredLength: -1,
		sendWindow: c.peer.initialWindow, recvWindow: int64(c.options.StreamWindow),
	}
	s.readable.L, s.writable.L = &c.mu, &c.mu
	c.streams[id] = s
	return s
}

// failLocked fails the stream with err, unless it has failed before, and wakes all waiters.
func (s *Stream) failLocked(err error) {
	if s.err == nil {
		s.err = err
	}
	s.leaveQueue()
	s.readable.Broadcast()
	s.wakeSender()
}

// wakeSender wakes a sender that waits for a window or for output space.
func (s *Stream) wakeSender() {
	s.writable.Broadcast()
	s.conn.outputChanged.Broadcast()
}

// endReceiving ends the receiving side. A body that differs from its Content-Length is malformed (RFC 9113 section 8.1.1).
func (s *Stream) endReceiving() error {
	if s.declaredLength >= 0 && s.receivedLength != s.declaredLength {
		return streamError{s.id, CodeProtocol}
	}
	s.recvEnded = true
	s.readable.Broadcast()
	s.removeIfEnded()
	return nil
}

// removeIfEnded removes the stream from the connection once both directions have ended.
func (s *Stream) removeIfEnded() {
	if s.recvEnded && s.sendEnded {
		s.conn.removeStream(s)
	}
}

// AwaitHead waits for the next head, interim or final.
func (s *Stream) AwaitHead() (*Head, error) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	for len(s.heads) == 0 {
		if err := s.readFailure(); err != nil {
			return nil, err
		}
		s.readable.Wait()
	}
	h := s.heads[0]
	s.heads = s.heads[1:]
	s.Head.release()
	s.Head = h
	return h, nil
}

// readFailure returns the error with which receiving fails, or nil.
func (s *Stream) readFailure() error {
	switch {
	case s.err != nil:
		return s.err
	case s.readExpired:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// Next returns the next span of the body, which is valid until the next call. It returns io.EOF at the end. If wait is false
// and no data has arrived, it returns http1.ErrIncomplete.
func (s *Stream) Next(wait bool) ([]byte, error) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	s.consumeLastSpan()
	for {
		switch err := s.readFailure(); {
		case s.firstBlock != nil:
			span := s.firstBlock.data[s.firstBlock.r:s.firstBlock.w]
			s.lastSpan = len(span)
			return span, nil
		case s.recvEnded:
			return nil, io.EOF
		case err != nil:
			return nil, err
		case !wait:
			return nil, http1.ErrIncomplete
		}
		c.flush()
		s.readable.Wait()
	}
}

// Read implements io.Reader. It waits for data.
func (s *Stream) Read(p []byte) (int, error) {
	span, err := s.Next(true)
	if err != nil {
		return 0, err
	}
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.lastSpan = copy(p, span)
	return s.lastSpan, nil
}

// consumeLastSpan drops the span that Next returned last, and returns its bytes to the peer's window.
func (s *Stream) consumeLastSpan() {
	if s.lastSpan == 0 {
		return
	}
	n := s.lastSpan
	s.lastSpan = 0
	s.consume(n)
	s.conn.addRecvCredit(n)
	s.addRecvCredit(n)
}

// WaitReadable waits until Next can return without waiting.
func (s *Stream) WaitReadable() error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.consumeLastSpan()
	for s.firstBlock == nil && !s.recvEnded {
		if err := s.readFailure(); err != nil {
			return err
		}
		s.conn.flush()
		s.readable.Wait()
	}
	return nil
}

// Trailers returns the trailer fields. They are valid once Next has returned io.EOF.
func (s *Stream) Trailers() []http1.Field {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.trailers == nil {
		return nil
	}
	return s.trailers.Fields
}

// Ended reports whether the receiving side has ended with nothing left to read: no data and no trailers.
func (s *Stream) Ended() bool {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.recvEnded && s.firstBlock == nil && s.trailers == nil
}

// Err returns the error that the stream failed with, or nil.
func (s *Stream) Err() error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	return s.err
}

// SetDeadline interrupts current and future waits if t is not zero, and ends the interruption if t is zero. Deadlines in the
// future are not supported.
func (s *Stream) SetDeadline(t time.Time) error {
	_ = s.SetReadDeadline(t)
	return s.SetWriteDeadline(t)
}

// SetReadDeadline is SetDeadline for receiving.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.readExpired = !t.IsZero()
	s.readable.Broadcast()
	return nil
}

// SetWriteDeadline is SetDeadline for sending.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.writeExpired = !t.IsZero()
	s.wakeSender()
	return nil
}

// Abort resets the stream with the code, unless it has ended. The owner must still Close it.
func (s *Stream) Abort(code Code) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.streams[s.id] == s {
		c.resetStream(s.id, code)
		c.flush()
	}
	s.failLocked(ErrClosed)
}

// Close releases the stream. If it has not ended, it is reset with the code.
func (s *Stream) Close(code Code) {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addRecvCredit(s.discard())
	if s.sendEnded && c.isServer() {
		code = CodeNone // the response is complete, and the rest of the request is not needed (RFC 9113 section 8.1)
	}
	if c.streams[s.id] == s {
		c.resetStream(s.id, code)
	}
	s.failLocked(ErrClosed)
	s.releaseHeads()
	s.releaseCharge(0)
	if c.owned--; c.owned == 0 && !c.isServer() {
		c.idleSince = time.Now()
	}
	c.closeIfShutDown()
	c.closeIfRetired()
	c.flush()
}

// ReleaseHead frees Head and sets it to nil. The stream is charged for kept bytes of copies and buffers from then on.
func (s *Stream) ReleaseHead(kept int) {
	if s.Head != nil {
		s.chargedWithoutHead = s.Head.costWithoutHead()
		s.Head.release()
		s.Head = nil
	}
	s.releaseCharge(s.chargedWithoutHead + kept)
}

func (s *Stream) releaseHeads() {
	s.Head.release()
	s.Head = nil
	s.trailers.release()
	for _, h := range s.heads {
		h.release()
	}
	s.trailers, s.heads = nil, nil
}
