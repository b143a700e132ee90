package http2

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Serve reads from the connection until it ends, and says why: io.EOF where nothing was wrong. All streams have failed
// then. The connection is still to be closed: one that ends here for what the peer did may have bytes on their way which
// closing at once would destroy. After a flood it is closed.
func (c *Conn) Serve() error {
	err := c.begin()
	for err == nil {
		err = c.readFrame()
	}
	if known := c.Err(); known != nil {
		err = known
	}
	if errors.Is(err, ErrFlood) {
		c.socket.Close() // nothing that is being written to such a peer is worth waiting for
	}
	c.fail(err)
	return err
}

// begin reads what a connection begins with: the preface, and settings (RFC 9113 section 3.4).
func (c *Conn) begin() error {
	if c.isServer() {
		if err := c.need(len(Preface)); err != nil {
			return err
		}
		if !bytes.HasPrefix(c.socket.Buffered(), []byte(Preface)) {
			return protocolError("the preface is none")
		}
		c.socket.Consume(len(Preface))
	}
	f, err := c.readHead()
	if err != nil {
		return err
	}
	if f.kind != frameSettings || f.has(flagAck) {
		return protocolError("the first frame is not SETTINGS")
	}
	return c.take(&f)
}

// need waits until that many bytes are buffered. What was collected meanwhile is written first: the peer may wait for it.
func (c *Conn) need(n int) error {
	for len(c.socket.Buffered()) < n {
		if err := c.reply(); err != nil {
			return err
		}
		c.socket.Release()
		if err := c.socket.Fill(0); err != nil {
			return err
		}
	}
	return nil
}

// reply writes what the peer's frames have brought about.
func (c *Conn) reply() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.replies > mostReplies {
		return ErrFlood
	}
	c.flush()
	return nil
}

func (c *Conn) readHead() (frame, error) {
	if err := c.need(frameHeadBytes); err != nil {
		return frame{}, err
	}
	f := parseFrame(c.socket.Buffered())
	c.socket.Consume(frameHeadBytes)
	c.in.frames.Add(1)
	if f.length > MaxFrame {
		return f, sizeError("a frame is longer than allowed")
	}
	return f, c.countFrame(&f)
}

func (c *Conn) readFrame() error {
	f, err := c.readHead()
	if err != nil {
		return err
	}
	if open := &c.in.section; open.isOpen && (f.kind != frameContinuation || f.stream != open.stream) {
		return protocolError("a field section is not continued")
	}
	return c.take(&f)
}

// take reads what follows the head of a frame, and does what it says.
func (c *Conn) take(f *frame) error {
	if f.kind == frameData {
		return c.settleStream(c.takeData(f))
	}
	if err := c.need(f.length); err != nil {
		return err
	}
	err := c.takeWhole(f, c.socket.Buffered()[:f.length])
	c.socket.Consume(f.length)
	return c.settleStream(err)
}

func (c *Conn) takeWhole(f *frame, p []byte) error {
	switch f.kind {
	case frameHeaders:
		return c.takeHeaders(f, p)
	case frameContinuation:
		return c.takeContinuation(f, p)
	case framePriority:
		return checkPriority(f, p)
	case frameReset:
		return c.takeReset(f, p)
	case frameSettings:
		return c.takeSettings(f, p)
	case framePushPromise:
		return protocolError("PUSH_PROMISE, which is not allowed")
	case framePing:
		return c.takePing(f, p)
	case frameGoAway:
		return c.takeGoAway(f, p)
	case frameWindowUpdate:
		return c.takeWindowUpdate(f, p)
	}
	return nil // RFC 9113 section 5.5
}

// settleStream resets the stream that an error is about. Any other error is the connection's, and so is one about a stream
// that the peer has not opened: it would not know what is reset (RFC 9113 section 5.1).
func (c *Conn) settleStream(err error) error {
	broken, ok := err.(streamError) //nolint:errorlint // made here, and not wrapped
	if !ok {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isIdle(broken.stream) {
		return &ConnError{broken.code, "a frame of a stream that was never open is malformed"}
	}
	c.resetStream(broken.stream, broken.code)
	return c.countReset()
}

// resetStream tells the peer, and the owner if there is one.
func (c *Conn) resetStream(id uint32, code Code) {
	if c.err != nil {
		return
	}
	c.collect(appendReset(c.output(), id, code))
	c.replies++
	c.reset.add(id, mostReset)
	if s := c.streams[id]; s != nil {
		s.failLocked(&ResetError{Code: code})
		c.remove(s)
	}
}

// checkPriority passes over priorities, which are deprecated (RFC 9113 section 5.3.2).
func checkPriority(f *frame, p []byte) error {
	switch {
	case f.stream == 0:
		return protocolError("PRIORITY without a stream")
	case len(p) != priorityBytes:
		return streamError{f.stream, CodeFrameSize}
	case streamIn(p) == f.stream:
		return streamError{f.stream, CodeProtocol}
	}
	return nil
}

const priorityBytes = 5

// streamIn reads the id of a stream, whose first bit is reserved.
func streamIn(p []byte) uint32 { return binary.BigEndian.Uint32(p) & maxStream }

func (c *Conn) takeReset(f *frame, p []byte) error {
	if f.stream == 0 {
		return protocolError("RST_STREAM without a stream")
	}
	if len(p) != 4 {
		return sizeError("RST_STREAM of a length that cannot be")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isIdle(f.stream) {
		return protocolError("RST_STREAM of a stream that was never open")
	}
	if s := c.streams[f.stream]; s != nil {
		s.failLocked(resetBy(Code(binary.BigEndian.Uint32(p))))
		c.remove(s)
	}
	return nil
}

func resetBy(code Code) error {
	if code == CodeRefused {
		return ErrRefused
	}
	return &ResetError{Code: code, ByPeer: true}
}

func (c *Conn) takePing(f *frame, p []byte) error {
	if f.stream != 0 {
		return protocolError("PING on a stream")
	}
	if len(p) != 8 {
		return sizeError("PING of a length that cannot be")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.has(flagAck) {
		c.pinged([8]byte(p))
		return nil
	}
	c.collect(appendPing(c.output(), flagAck, [8]byte(p)))
	c.replies++
	return nil
}

func (c *Conn) takeWindowUpdate(f *frame, p []byte) error {
	if len(p) != 4 {
		return sizeError("WINDOW_UPDATE of a length that cannot be")
	}
	by := int64(binary.BigEndian.Uint32(p) & maxWindow)
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.stream == 0 {
		return c.widen(by)
	}
	if c.isIdle(f.stream) {
		return protocolError("WINDOW_UPDATE of a stream that was never open")
	}
	if s := c.streams[f.stream]; s != nil {
		return s.widen(by)
	}
	return nil
}

// widen opens the window of the connection.
func (c *Conn) widen(by int64) error {
	if by == 0 {
		return protocolError("the window is opened by nothing")
	}
	if c.sendWindow += by; c.sendWindow > maxWindow {
		return &ConnError{CodeFlowControl, "the window is above 2^31-1"}
	}
	c.nextTurn()
	return nil
}

func (s *Stream) widen(by int64) error {
	if by == 0 {
		return streamError{s.id, CodeProtocol}
	}
	if s.sendWindow += by; s.sendWindow > maxWindow {
		return streamError{s.id, CodeFlowControl}
	}
	s.windowOpened()
	return nil
}

// windowOpened leaves those alone who wait for their turn: they look at their window when it comes. Else each frame that
// changes windows would wake all streams, for nothing.
func (s *Stream) windowOpened() {
	if !s.queued {
		s.writable.Broadcast()
	}
}
