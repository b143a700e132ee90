package http2

import "os"

// SendHead collects a field section: that at the beginning of an answer, or trailers. With end set nothing follows it. It
// waits while the peer does not read what was collected before.
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

// awaitRoom does not queue with those that have a body to send: whatever the windows say, heads pass.
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

func (s *Stream) appendBlock(block []byte, end bool) {
	c := s.conn
	block = c.withTableSizeUpdate(block)
	s.markFrame()
	c.collect(appendBlock(c.output(), s.id, block, end, MaxFrame))
	if end {
		s.endSending()
	}
}

// tellTable says once, before the first field section, that we keep no dynamic table: else a peer that allows less than the
// default would wait to be told (RFC 7541 section 4.2).
func (c *Conn) withTableSizeUpdate(block []byte) []byte {
	if c.tableSizeSent {
		return block
	}
	c.tableSizeSent = true
	return append([]byte{0x20}, block...)
}

// Send collects a part of the body. It waits while windows are closed.
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
		c.collect(append(b, p[:n]...))
		s.sendWindow -= int64(n)
		c.sendWindow -= int64(n)
		s.yieldSender()
		p = p[n:]
	}
	return nil
}

// Takes reports whether Send would collect that much without waiting.
func (s *Stream) CanSend(n int) bool {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.err == nil && c.canSendData() && s.isNextSender() && min(s.sendWindow, c.sendWindow) >= int64(n)
}

// SendEnd says that nothing more will be sent, on the last frame if that can still be changed.
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
		c.collect(appendFrame(c.output(), frame{kind: frameData, flags: flagEndStream, stream: s.id}))
	}
	s.endSending()
	return nil
}

// Flush makes sure that what was collected is written soon. It does not wait for that.
func (s *Stream) Flush() error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	s.conn.flush()
	if s.sendEnded {
		return nil
	}
	return s.sendFailure()
}

// mark remembers where the frame is that is about to be collected.
func (s *Stream) markFrame() {
	s.frameOffset, s.frameSeq, s.hasFrame = len(s.conn.output()), s.conn.outputSeq, true
}

// endSending writes what there is: nothing more of this stream is to be waited for.
func (s *Stream) endSending() {
	s.sendEnded = true
	s.conn.flush()
	s.removeIfEnded()
}

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

// awaitWindow gives how much of a body may be sent now. Streams that wait for the connection get it one after the other, a
// frame each, however much they have to send.
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
