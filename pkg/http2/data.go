package http2

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/memory"
)

// takeData takes DATA as it comes, in pieces. All of the frame counts for the windows, padding too (RFC 9113 section
// 6.9.1).
func (c *Conn) takeData(f *frame) error {
	if f.stream == 0 {
		return protocolError("DATA without a stream")
	}
	padding, length, err := c.readPadding(f)
	if err != nil {
		return err
	}
	refusal, err := c.admitData(f, length)
	if err != nil {
		return err
	}
	to := f.stream
	if refusal != CodeNone {
		to = 0
	}
	if err := c.moveData(to, length); err != nil {
		return err
	}
	if err := c.skip(padding); err != nil {
		return err
	}
	if refusal != CodeNone {
		c.mu.Lock()
		c.giveBack(f.length - length)
		c.mu.Unlock()
		return streamError{f.stream, refusal}
	}
	return c.endData(f, f.length-length)
}

// moveData reads data, and gives them to the stream.
func (c *Conn) moveData(stream uint32, left int) error {
	for left > 0 {
		if err := c.need(1); err != nil {
			return err
		}
		span := c.socket.Buffered()
		span = span[:min(len(span), left)]
		if err := c.deliver(stream, span); err != nil {
			return err
		}
		c.socket.Consume(len(span))
		left -= len(span)
	}
	return nil
}

// readPadding gives how much padding is at the end of the frame, and how much data before it.
func (c *Conn) readPadding(f *frame) (padding, length int, err error) {
	if !f.has(flagPadded) {
		return 0, f.length, nil
	}
	if f.length == 0 {
		return 0, 0, sizeError("a padded frame without a length of its padding")
	}
	if err := c.need(1); err != nil {
		return 0, 0, err
	}
	padding = int(c.socket.Buffered()[0])
	c.socket.Consume(1)
	if padding >= f.length {
		return 0, 0, protocolError("more padding than frame")
	}
	return padding, f.length - 1 - padding, nil
}

func (c *Conn) skip(n int) error {
	if n == 0 {
		return nil
	}
	if err := c.need(n); err != nil {
		return err
	}
	c.socket.Consume(n)
	return nil
}

// admitData charges the windows. With a code, the data are for nobody.
func (c *Conn) admitData(f *frame, length int) (Code, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isIdle(f.stream) {
		return 0, protocolError("DATA on a stream that was never open")
	}
	if c.recvWindow -= int64(f.length); c.recvWindow < 0 {
		return 0, &ConnError{CodeFlowControl, "more data than the window has room for"}
	}
	s := c.streams[f.stream]
	switch {
	case s == nil && c.reset.has(f.stream):
		return CodeNone, nil // deliver gives it back
	case s == nil || s.recvEnded:
		return CodeStreamClosed, nil
	case !s.final:
		return CodeProtocol, nil
	}
	if s.recvWindow -= int64(f.length); s.recvWindow < 0 {
		return CodeFlowControl, nil
	}
	if s.received += int64(length); s.declared >= 0 && s.received > s.declared {
		return CodeProtocol, nil
	}
	return CodeNone, nil
}

// deliver gives data to the stream, if somebody still wants them and they may be held.
func (c *Conn) deliver(id uint32, span []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[id]
	if s == nil || s.recvEnded {
		c.giveBack(len(span))
		return nil
	}
	stored := s.store(span)
	s.readable.Broadcast()
	if stored < len(span) {
		c.giveBack(len(span) - stored)
		return s.overflow()
	}
	return nil
}

// endData gives the window that padding took back, and ends the stream where the frame says so.
func (c *Conn) endData(f *frame, padding int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.giveBack(padding)
	s := c.streams[f.stream]
	if s == nil {
		return nil
	}
	s.giveBack(padding)
	if f.has(flagEndStream) {
		return s.endReceiving()
	}
	return nil
}

// giveBack lets the peer send that much more, once it is worth a frame.
func (c *Conn) giveBack(n int) {
	if c.credit += n; c.credit < c.options.ConnectionWindow/2 || c.err != nil {
		return
	}
	c.collect(appendWindowUpdate(c.output(), 0, c.credit))
	c.recvWindow += int64(c.credit)
	c.credit = 0
	c.flush()
}

func (s *Stream) giveBack(n int) {
	if s.credit += n; s.credit < s.conn.options.StreamWindow/2 || s.recvEnded || s.err != nil {
		return
	}
	s.conn.collect(appendWindowUpdate(s.conn.output(), s.id, s.credit))
	s.recvWindow += int64(s.credit)
	s.credit = 0
	s.conn.flush()
}

// block holds data until they are read. Small ones share it.
type block struct {
	next *block
	r, w int
	owed *memory.Account // in which it counts
	data [blockBytes]byte
}

const blockBytes = 4 << 10

var blocks = sync.Pool{New: func() any { return new(block) }}

// store keeps a copy of what came, as far as it may be held, and returns how much that is.
func (s *Stream) store(span []byte) (n int) {
	for n < len(span) {
		if (s.last == nil || s.last.w == blockBytes) && !s.addBlock() {
			return n
		}
		stored := copy(s.last.data[s.last.w:], span[n:])
		s.last.w += stored
		n += stored
	}
	return n
}

// addBlock returns false if no further block may be held.
func (s *Stream) addBlock() bool {
	owed := s.account
	if s.blocks < s.conn.blocksIncluded() {
		owed = nil
	}
	if !owed.Take(blockBytes) {
		return false
	}
	b := blocks.Get().(*block)
	b.next, b.r, b.w, b.owed = nil, 0, 0, owed
	s.blocks++
	if s.last == nil {
		s.first = b
	} else {
		s.last.next = b
	}
	s.last = b
	return true
}

// consume is done with the first n bytes of the first block.
func (s *Stream) consume(n int) {
	b := s.first
	if b.r += n; b.r < b.w {
		return
	}
	if s.first = b.next; s.first == nil {
		s.last = nil
	}
	s.blocks--
	b.owed.Return(blockBytes)
	b.owed = nil
	blocks.Put(b)
}

// drop forgets what nobody has read, and says how much that was.
func (s *Stream) drop() (n int) {
	for s.first != nil {
		unread := s.first.w - s.first.r
		n += unread
		s.consume(unread)
	}
	return n
}
