package http2

import "golang.org/x/net/http2/hpack"

// processHeaders starts a field section.
func (c *Conn) processHeaders(f *frame, p []byte) error {
	if f.stream == 0 {
		return protocolError("HEADERS on stream 0")
	}
	p, err := unpad(f, p)
	if err != nil {
		return err
	}
	var dependsOnItself bool
	if f.has(flagPriority) {
		if len(p) < priorityBytes {
			return sizeError("HEADERS too short for its priority fields")
		}
		dependsOnItself = parseStreamID(p) == f.stream
		p = p[priorityBytes:]
	}
	if err := c.startSection(f); err != nil {
		return err
	}
	c.recv.section.malformed = dependsOnItself
	return c.continueSection(f, p)
}

// unpad removes the padding (RFC 9113 section 6.2).
func unpad(f *frame, p []byte) ([]byte, error) {
	if !f.has(flagPadded) {
		return p, nil
	}
	if len(p) == 0 {
		return nil, sizeError("padded frame without a pad length")
	}
	padding := int(p[0])
	if padding >= len(p) {
		return nil, protocolError("padding exceeds the frame")
	}
	return p[1 : len(p)-padding], nil
}

func (c *Conn) processContinuation(f *frame, p []byte) error {
	if !c.recv.section.isOpen {
		return protocolError("CONTINUATION without HEADERS")
	}
	return c.continueSection(f, p)
}

// startSection determines the kind of the section, and prepares for its fields.
func (c *Conn) startSection(f *frame) error {
	kind, err := c.sectionKind(f)
	if err != nil {
		return err
	}
	s := &c.recv.section
	*s = section{
		stream: f.stream, isOpen: true, endStream: f.has(flagEndStream), kind: kind, head: newHead(&c.recv.spill),
		maxSize: c.options.HeadBytes, maxFields: c.options.Fields, lenient: !c.isServer(),
	}
	if kind == trailers {
		s.maxSize = c.options.TrailerBytes
	}
	c.recv.decoder.SetEmitEnabled(true)
	return nil
}

// sectionKind returns the kind of the section that a HEADERS frame starts.
func (c *Conn) sectionKind(f *frame) (sectionKind, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[f.stream]; s != nil && (c.isServer() || s.headReceived) {
		return trailers, nil
	}
	switch {
	case !c.isServer() && c.isIdle(f.stream):
		return 0, protocolError("HEADERS on an idle stream")
	case !c.isServer():
		return responseHead, nil
	case f.stream%2 == 0:
		return 0, protocolError("client opened a stream with an even ID")
	case f.stream > c.maxPeerID:
		return requestHead, nil
	case c.resetIDs.has(f.stream) || c.endedIDs.has(f.stream):
		return closedHead, nil
	}
	return 0, protocolError("stream ID is not higher than the previous ones")
}

// maxEncodedSection returns the limit for the encoded length of a section. A longer section ends the connection; a section
// that is only too long when decoded affects only its stream.
func (o *Options) maxEncodedSection() int { return 2 * o.HeadBytes }

// continueSection decodes a fragment of the section. Decoding costs time for the whole encoded length, even if the fields are
// dropped, so that length is limited.
func (c *Conn) continueSection(f *frame, p []byte) error {
	s := &c.recv.section
	if s.encodedBytes += len(p); s.encodedBytes > c.options.maxEncodedSection() {
		return &ConnError{CodeEnhanceYourCalm, "field section exceeds the limit"}
	}
	if _, err := c.recv.decoder.Write(p); err != nil {
		return &ConnError{CodeCompression, "invalid field section encoding"}
	}
	if !f.has(flagEndHeaders) {
		return nil
	}
	if c.recv.decoder.Close() != nil {
		return &ConnError{CodeCompression, "truncated field section"}
	}
	s.isOpen = false
	s.head.compactSpill()
	s.validate()
	return c.endSection(s)
}

func (c *Conn) addField(f hpack.HeaderField) {
	s := &c.recv.section
	s.add(f)
	if s.malformed || s.head.TooLarge {
		c.recv.decoder.SetEmitEnabled(false)
	}
}

// endSection passes the complete section to its stream.
func (c *Conn) endSection(section *section) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[section.stream]
	switch {
	case section.kind == requestHead:
		return c.processRequest(section)
	case section.kind == closedHead && !c.resetIDs.has(section.stream):
		return &ConnError{CodeStreamClosed, "HEADERS on a closed stream"}
	case s == nil: // the stream was reset or closed on this side, and the peer may not know yet
		return c.discardSection(section)
	case s.recvEnded:
		return streamError{s.id, CodeStreamClosed}
	case section.malformed:
		return streamError{s.id, CodeProtocol}
	case section.kind == trailers:
		return s.processTrailers(section)
	}
	return s.processResponse(section)
}

// discardSection ignores a section on a stream that was reset or refused on this side. It was decoded anyway, so it counts
// as a reset: an honest peer sends at most one per stream.
func (c *Conn) discardSection(section *section) error {
	section.head.release()
	return c.countReset()
}

// processRequest opens a stream for a request.
func (c *Conn) processRequest(section *section) error {
	id := section.stream
	c.maxPeerID = id
	switch {
	case c.err != nil:
		return c.err
	case c.shutdown == goAwayFinal: // the peer retries it on another connection after the final GOAWAY
		c.resetIDs.add(id, maxResetIDs)
		return c.discardSection(section)
	case section.malformed:
		return streamError{id, CodeProtocol}
	case len(c.streams) >= c.options.Streams || c.owned >= 2*c.options.Streams:
		return streamError{id, CodeRefused}
	}
	charged, ok := c.charge(section.head)
	if !ok {
		return c.refuseOverBudget(section)
	}
	s := c.newStream(id)
	s.account, s.charged = c.account, charged
	s.Head, s.headReceived, s.declaredLength = section.head, true, section.head.ContentLength
	s.recvEnded = section.endStream
	c.owned++
	if c.requestsReceived++; c.options.Requests > 0 && c.requestsReceived >= c.options.Requests {
		c.continueShutdown()
	}
	c.startHandler(s)
	return nil
}

// processTrailers ends the receiving side of the stream. No frame may follow trailers (RFC 9113 section 8.1).
func (s *Stream) processTrailers(section *section) error {
	if !section.endStream || section.head.TooLarge {
		section.head.release()
		return streamError{s.id, CodeProtocol}
	}
	s.trailers = section.head
	return s.endReceiving()
}

// maxInterimHeads limits the interim (1xx) responses of a stream.
const maxInterimHeads = 32

// processResponse passes the head of an interim or final response to AwaitHead.
func (s *Stream) processResponse(section *section) error {
	h := section.head
	interim := h.Status < 200
	if interim && (section.endStream || s.interimCount == maxInterimHeads) || h.TooLarge {
		return streamError{s.id, CodeProtocol}
	}
	if interim {
		s.interimCount++
		s.pushHead(h)
		return nil
	}
	s.headReceived = true
	s.declaredLength = h.ContentLength
	if s.omitsBody || h.Status == 204 || h.Status == 304 {
		s.declaredLength = 0 // Content-Length is the length of another response (RFC 9110 section 8.6)
	}
	if section.endStream {
		if err := s.endReceiving(); err != nil {
			return err
		}
	}
	s.pushHead(h)
	return nil
}

// pushHead queues a head for AwaitHead.
func (s *Stream) pushHead(h *Head) {
	s.heads = append(s.heads, h)
	s.readable.Broadcast()
}
