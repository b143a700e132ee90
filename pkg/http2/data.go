package http2

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/memory"
)

// processData reads the payload of a DATA frame piece by piece. The whole frame counts for flow control, including padding
// (RFC 9113 section 6.9.1).
func (c *Conn) processData(f *frame) error {
	if f.stream == 0 {
		return protocolError("DATA on stream 0")
	}
	padding, length, err := c.readPadding(f)
	if err != nil {
		return err
	}
	code, err := c.chargeData(f, length)
	if err != nil {
		return err
	}
	id := f.stream
	if code != CodeNone {
		id = 0
	}
	if err := c.readData(id, length); err != nil {
		return err
	}
	if err := c.skip(padding); err != nil {
		return err
	}
	if code != CodeNone {
		c.mu.Lock()
		c.addRecvCredit(f.length - length)
		c.mu.Unlock()
		return streamError{f.stream, code}
	}
	return c.finishData(f, f.length-length)
}

// readData reads n bytes of data and delivers them to the stream. Stream 0 discards them.
func (c *Conn) readData(stream uint32, n int) error {
	for n > 0 {
		if err := c.waitBuffered(1); err != nil {
			return err
		}
		span := c.socket.Buffered()
		span = span[:min(len(span), n)]
		if err := c.deliver(stream, span); err != nil {
			return err
		}
		c.socket.Consume(len(span))
		n -= len(span)
	}
	return nil
}

// readPadding returns the length of the padding at the end of the frame, and the length of the data before it.
func (c *Conn) readPadding(f *frame) (padding, length int, err error) {
	if !f.has(flagPadded) {
		return 0, f.length, nil
	}
	if f.length == 0 {
		return 0, 0, sizeError("padded frame without a pad length")
	}
	if err := c.waitBuffered(1); err != nil {
		return 0, 0, err
	}
	padding = int(c.socket.Buffered()[0])
	c.socket.Consume(1)
	if padding >= f.length {
		return 0, 0, protocolError("padding exceeds the frame")
	}
	return padding, f.length - 1 - padding, nil
}

func (c *Conn) skip(n int) error {
	if n == 0 {
		return nil
	}
	if err := c.waitBuffered(n); err != nil {
		return err
	}
	c.socket.Consume(n)
	return nil
}

// chargeData charges the frame to the receive windows. If it returns a code, the data is discarded and the stream is reset
// with that code.
func (c *Conn) chargeData(f *frame, length int) (Code, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isIdle(f.stream) {
		return 0, protocolError("DATA on an idle stream")
	}
	if c.recvWindow -= int64(f.length); c.recvWindow < 0 {
		return 0, &ConnError{CodeFlowControl, "DATA exceeds the connection window"}
	}
	s := c.streams[f.stream]
	switch {
	case s == nil && c.resetIDs.has(f.stream):
		return CodeNone, nil // deliver returns the credit
	case s == nil || s.recvEnded:
		return CodeStreamClosed, nil
	case !s.headReceived:
		return CodeProtocol, nil
	}
	if s.recvWindow -= int64(f.length); s.recvWindow < 0 {
		return CodeFlowControl, nil
	}
	if s.receivedLength += int64(length); s.declaredLength >= 0 && s.receivedLength > s.declaredLength {
		return CodeProtocol, nil
	}
	return CodeNone, nil
}

// deliver copies data to the stream. It discards the data if the stream has ended, and resets the stream if the data exceeds
// the memory budget.
func (c *Conn) deliver(id uint32, span []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[id]
	if s == nil || s.recvEnded {
		c.addRecvCredit(len(span))
		return nil
	}
	stored := s.store(span)
	s.readable.Broadcast()
	if stored < len(span) {
		c.addRecvCredit(len(span) - stored)
		return s.resetOverBudget()
	}
	return nil
}

// finishData returns the credit for the padding and ends the stream if the frame has END_STREAM.
func (c *Conn) finishData(f *frame, padding int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.addRecvCredit(padding)
	s := c.streams[f.stream]
	if s == nil {
		return nil
	}
	s.addRecvCredit(padding)
	if f.has(flagEndStream) {
		return s.endReceiving()
	}
	return nil
}

// addRecvCredit returns n bytes to the peer's window. It sends a WINDOW_UPDATE once half of the window has accumulated.
func (c *Conn) addRecvCredit(n int) {
	if c.pendingCredit += n; c.pendingCredit < c.options.ConnectionWindow/2 || c.err != nil {
		return
	}
	c.setOutput(appendWindowUpdate(c.output(), 0, c.pendingCredit))
	c.recvWindow += int64(c.pendingCredit)
	c.pendingCredit = 0
	c.flush()
}

func (s *Stream) addRecvCredit(n int) {
	if s.pendingCredit += n; s.pendingCredit < s.conn.options.StreamWindow/2 || s.recvEnded || s.err != nil {
		return
	}
	s.conn.setOutput(appendWindowUpdate(s.conn.output(), s.id, s.pendingCredit))
	s.recvWindow += int64(s.pendingCredit)
	s.pendingCredit = 0
	s.conn.flush()
}

// dataBlock buffers data until it is read. Small DATA frames share a block.
type dataBlock struct {
	next    *dataBlock
	r, w    int
	account *memory.Account // charged for the block; nil if the block is included in the cost of the stream
	data    [dataBlockSize]byte
}

const dataBlockSize = 4 << 10

var dataBlocks = sync.Pool{New: func() any { return new(dataBlock) }}

// store copies span to blocks. It returns the number of bytes that the memory budget allowed.
func (s *Stream) store(span []byte) (n int) {
	for n < len(span) {
		if (s.lastBlock == nil || s.lastBlock.w == dataBlockSize) && !s.addBlock() {
			return n
		}
		stored := copy(s.lastBlock.data[s.lastBlock.w:], span[n:])
		s.lastBlock.w += stored
		n += stored
	}
	return n
}

// addBlock adds a block. It returns false if that would exceed the memory budget.
func (s *Stream) addBlock() bool {
	account := s.account
	if s.blockCount < s.conn.includedBlocks() {
		account = nil
	}
	if !account.Take(dataBlockSize) {
		return false
	}
	b := dataBlocks.Get().(*dataBlock)
	b.next, b.r, b.w, b.account = nil, 0, 0, account
	s.blockCount++
	if s.lastBlock == nil {
		s.firstBlock = b
	} else {
		s.lastBlock.next = b
	}
	s.lastBlock = b
	return true
}

// consume drops the first n bytes of the first block.
func (s *Stream) consume(n int) {
	b := s.firstBlock
	if b.r += n; b.r < b.w {
		return
	}
	if s.firstBlock = b.next; s.firstBlock == nil {
		s.lastBlock = nil
	}
	s.blockCount--
	b.account.Return(dataBlockSize)
	b.account = nil
	dataBlocks.Put(b)
}

// discard drops all unread data and returns its length.
func (s *Stream) discard() (n int) {
	for s.firstBlock != nil {
		unread := s.firstBlock.w - s.firstBlock.r
		n += unread
		s.consume(unread)
	}
	return n
}
