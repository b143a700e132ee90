package http2

import "os"

// SendHead buffers a field section: the head of a response, or trailers. If endStream is set, the stream ends with it. It
// waits while too much output is buffered.
func (s *Stream) SendHead(block []byte, end bool) error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := s.waitOutputSpace(); err != nil {
		return err
	}
	s.appendBlock(block, end)
	return nil
}

// waitOutputSpace does not queue behind streams that send a body: heads are not subject to flow control.
func (s *Stream) waitOutputSpace() error {
	c := s.conn
	for {
		if err := s.sendFailure(); err != nil || c.pending() < maxPending {
			return err
		}
		c.flush()
		c.outputChanged.Wait()
	}
}

// appendBlock appends a field section to the output.
func (s *Stream) appendBlock(block []byte, end bool) {
	c := s.conn
	block = c.withTableSizeUpdate(block)
	s.markFrame()
	c.setOutput(appendBlock(c.output(), s.id, block, end, MaxFrame))
	if end {
		s.endSending()
	}
}

// withTableSizeUpdate prefixes the first field section with a dynamic table size of zero. Otherwise a peer with a smaller
// limit than the default would wait for that update (RFC 7541 section 4.2).
func (c *Conn) withTableSizeUpdate(block []byte) []byte {
	if c.tableSizeSent {
		return block
	}
	c.tableSizeSent = true
	return append([]byte{0x20}, block...)
}

// Send buffers a part of the body. It waits while the send windows are closed.
func (s *Stream) Send(p []byte) error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(p) > 0 {
		n, err := s.awaitWindow(len(p))
		if err != nil {
			return err
		}
		s.markFrame()
		b := appendFrame(c.output(), frame{length: n, kind: frameData, stream: s.id})
		c.setOutput(append(b, p[:n]...))
		s.sendWindow -= int64(n)
		c.sendWindow -= int64(n)
		s.yieldSender()
		p = p[n:]
	}
	return nil
}

// CanSend reports whether Send would buffer n bytes without waiting.
func (s *Stream) CanSend(n int) bool {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.err == nil && c.canSendData() && s.isNextSender() && min(s.sendWindow, c.sendWindow) >= int64(n)
}

// SendEnd ends the sending side. It sets END_STREAM on the last frame of the stream if that is still buffered.
func (s *Stream) SendEnd() error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.sendEnded {
		return nil
	}
	if err := s.sendFailure(); err != nil {
		return err
	}
	if s.hasFrame && s.frameSeq == c.outputSeq {
		c.out.bytes[s.frameOffset+4] |= flagEndStream
	} else {
		c.setOutput(appendFrame(c.output(), frame{kind: frameData, flags: flagEndStream, stream: s.id}))
	}
	s.endSending()
	return nil
}

// Flush makes the writer write the output. It does not wait for that.
func (s *Stream) Flush() error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.conn.flush()
	if s.sendEnded {
		return nil
	}
	return s.sendFailure()
}

// markFrame remembers the position in the output of the frame that is about to be appended.
func (s *Stream) markFrame() {
	s.frameOffset, s.frameSeq, s.hasFrame = len(s.conn.output()), s.conn.outputSeq, true
}

// endSending ends the sending side and flushes the output.
func (s *Stream) endSending() {
	s.sendEnded = true
	s.conn.flush()
	s.removeIfEnded()
}

// sendFailure returns the error with which sending fails, or nil.
func (s *Stream) sendFailure() error {
	switch {
	case s.err != nil:
		return s.err
	case s.writeExpired:
		return os.ErrDeadlineExceeded
	case s.sendEnded:
		return ErrClosed
	}
	return nil
}

// awaitWindow returns the number of bytes that may be sent now, at most want. Streams that wait for the connection window
// take turns, one frame each.
func (s *Stream) awaitWindow(want int) (int, error) {
	c := s.conn
	for {
		if err := s.sendFailure(); err != nil {
			s.leaveQueue()
			return 0, err
		}
		switch {
		case s.sendWindow <= 0:
			s.yieldSender()
			c.flush()
			s.writable.Wait()
		case !c.canSendData() || !s.isNextSender():
			s.waitInQueue()
		default:
			return int(min(int64(want), s.sendWindow, c.sendWindow, MaxFrame)), nil
		}
	}
}
