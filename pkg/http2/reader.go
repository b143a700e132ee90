package http2

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Serve reads frames until the connection ends, and returns the error that ended it: io.EOF after a clean end. All streams
// have failed by then. Serve does not close the socket, except after a flood: closing it while data from the peer is in
// flight could discard the GOAWAY. The caller must close it.
func (c *Conn) Serve() error {
	err := c.readPreface()
	for err == nil {
		err = c.readFrame()
	}
	if first := c.Err(); first != nil {
		err = first
	}
	if errors.Is(err, ErrFlood) {
		c.socket.Close() // otherwise fail waits for a write that the peer may block
	}
	c.fail(err)
	return err
}

// readPreface reads the client preface and the first SETTINGS frame (RFC 9113 section 3.4).
func (c *Conn) readPreface() error {
	if c.isServer() {
		if err := c.waitBuffered(len(Preface)); err != nil {
			return err
		}
		if !bytes.HasPrefix(c.socket.Buffered(), []byte(Preface)) {
			return protocolError("invalid connection preface")
		}
		c.socket.Consume(len(Preface))
	}
	f, err := c.readFrameHead()
	if err != nil {
		return err
	}
	if f.kind != frameSettings || f.has(flagAck) {
		return protocolError("first frame is not SETTINGS")
	}
	return c.processFrame(&f)
}

// waitBuffered waits until n bytes are buffered. It flushes output first, because the peer may be waiting for it.
func (c *Conn) waitBuffered(n int) error {
	for len(c.socket.Buffered()) < n {
		if err := c.flushReplies(); err != nil {
			return err
		}
		c.socket.Release()
		if err := c.socket.Fill(0); err != nil {
			return err
		}
	}
	return nil
}

// flushReplies flushes the replies to the peer's frames. It returns ErrFlood if there are too many.
func (c *Conn) flushReplies() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.replies > maxPendingReplies {
		return ErrFlood
	}
	c.flush()
	return nil
}

func (c *Conn) readFrameHead() (frame, error) {
	if err := c.waitBuffered(frameHeadBytes); err != nil {
		return frame{}, err
	}
	f := parseFrame(c.socket.Buffered())
	c.socket.Consume(frameHeadBytes)
	c.recv.framesReceived.Add(1)
	if f.length > MaxFrame {
		return f, sizeError("frame exceeds MAX_FRAME_SIZE")
	}
	return f, c.countFrame(&f)
}

func (c *Conn) readFrame() error {
	f, err := c.readFrameHead()
	if err != nil {
		return err
	}
	if open := &c.recv.section; open.isOpen && (f.kind != frameContinuation || f.stream != open.stream) {
		return protocolError("field section interrupted by another frame")
	}
	return c.processFrame(&f)
}

// processFrame reads the payload of a frame and processes it.
func (c *Conn) processFrame(f *frame) error {
	if f.kind == frameData {
		return c.handleStreamError(c.processData(f))
	}
	if err := c.waitBuffered(f.length); err != nil {
		return err
	}
	err := c.processPayload(f, c.socket.Buffered()[:f.length])
	c.socket.Consume(f.length)
	return c.handleStreamError(err)
}

// processPayload processes a frame whose whole payload is buffered.
func (c *Conn) processPayload(f *frame, p []byte) error {
	switch f.kind {
	case frameHeaders:
		return c.processHeaders(f, p)
	case frameContinuation:
		return c.processContinuation(f, p)
	case framePriority:
		return checkPriority(f, p)
	case frameReset:
		return c.processReset(f, p)
	case frameSettings:
		return c.processSettings(f, p)
	case framePushPromise:
		return protocolError("PUSH_PROMISE although push is disabled")
	case framePing:
		return c.processPing(f, p)
	case frameGoAway:
		return c.processGoAway(f, p)
	case frameWindowUpdate:
		return c.processWindowUpdate(f, p)
	}
	return nil // unknown frames are ignored (RFC 9113 section 5.5)
}

// handleStreamError resets the stream of a streamError and returns other errors. An error on an idle stream ends the
// connection: RST_STREAM must not be sent for an idle stream (RFC 9113 section 6.4).
func (c *Conn) handleStreamError(err error) error {
	streamErr, ok := err.(streamError) //nolint:errorlint // never wrapped
	if !ok {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isIdle(streamErr.stream) {
		return &ConnError{streamErr.code, "malformed frame on an idle stream"}
	}
	c.resetStream(streamErr.stream, streamErr.code)
	return c.countReset()
}

// resetStream sends RST_STREAM and fails the stream, if it still exists.
//
// With CodeNone, a complete response precedes the reset, which is sent later: see lateResets.
func (c *Conn) resetStream(id uint32, code Code) {
	if c.err != nil {
		return
	}
	if code == CodeNone {
		c.lateResets.waiting = append(c.lateResets.waiting, id)
	} else {
		c.setOutput(appendReset(c.output(), id, code))
		c.replies++
	}
	c.resetIDs.add(id, maxResetIDs)
	if s := c.streams[id]; s != nil {
		s.failLocked(&ResetError{Code: code})
		c.removeStream(s)
	}
}

// checkPriority validates a PRIORITY frame and ignores it. Priorities are deprecated (RFC 9113 section 5.3.2).
func checkPriority(f *frame, p []byte) error {
	switch {
	case f.stream == 0:
		return protocolError("PRIORITY on stream 0")
	case len(p) != priorityBytes:
		return streamError{f.stream, CodeFrameSize}
	case parseStreamID(p) == f.stream:
		return streamError{f.stream, CodeProtocol}
	}
	return nil
}

const priorityBytes = 5

// parseStreamID reads a stream ID. The first bit is reserved.
func parseStreamID(p []byte) uint32 { return binary.BigEndian.Uint32(p) & maxStream }

func (c *Conn) processReset(f *frame, p []byte) error {
	if f.stream == 0 {
		return protocolError("RST_STREAM on stream 0")
	}
	if len(p) != 4 {
		return sizeError("RST_STREAM with invalid length")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isIdle(f.stream) {
		return protocolError("RST_STREAM on an idle stream")
	}
	if s := c.streams[f.stream]; s != nil {
		s.failLocked(peerResetError(Code(binary.BigEndian.Uint32(p))))
		c.removeStream(s)
	}
	return nil
}

// peerResetError returns the error of a stream that the peer has reset.
func peerResetError(code Code) error {
	if code == CodeRefused {
		return ErrRefused
	}
	return &ResetError{Code: code, ByPeer: true}
}

func (c *Conn) processPing(f *frame, p []byte) error {
	if f.stream != 0 {
		return protocolError("PING with a stream ID")
	}
	if len(p) != 8 {
		return sizeError("PING with invalid length")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.has(flagAck) {
		c.processPingAck([8]byte(p))
		return nil
	}
	c.setOutput(appendPing(c.output(), flagAck, [8]byte(p)))
	c.replies++
	return nil
}

func (c *Conn) processWindowUpdate(f *frame, p []byte) error {
	if len(p) != 4 {
		return sizeError("WINDOW_UPDATE with invalid length")
	}
	increment := int64(binary.BigEndian.Uint32(p) & maxWindow)
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.stream == 0 {
		return c.addSendWindow(increment)
	}
	if c.isIdle(f.stream) {
		return protocolError("WINDOW_UPDATE on an idle stream")
	}
	if s := c.streams[f.stream]; s != nil {
		return s.addSendWindow(increment)
	}
	return nil
}

// addSendWindow increases the send window of the connection.
func (c *Conn) addSendWindow(increment int64) error {
	if increment == 0 {
		return protocolError("WINDOW_UPDATE with increment 0")
	}
	if c.sendWindow += increment; c.sendWindow > maxWindow {
		return &ConnError{CodeFlowControl, "connection window exceeds 2^31-1"}
	}
	c.wakeNextSender()
	return nil
}

func (s *Stream) addSendWindow(increment int64) error {
	if increment == 0 {
		return streamError{s.id, CodeProtocol}
	}
	if s.sendWindow += increment; s.sendWindow > maxWindow {
		return streamError{s.id, CodeFlowControl}
	}
	s.wakeUnqueuedSender()
	return nil
}

// wakeUnqueuedSender wakes the sender unless it is queued for the connection: a queued one checks its window when it has its
// turn. Otherwise each WINDOW_UPDATE or SETTINGS frame could wake all streams in vain.
func (s *Stream) wakeUnqueuedSender() {
	if !s.queued {
		s.writable.Broadcast()
	}
}
