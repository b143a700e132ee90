package http2

import "golang.org/x/net/http2/hpack"

// processHeaders starts a field section.
func (c *Conn) processHeaders(f *frame, p []byte) error {
	if f.stream == 0 {
		return protocolError("HEADERS without a stream")
	}
	p, err := unpad(f, p)
	if err != nil {
		return err
	}
	var dependsOnItself bool
	if f.has(flagPriority) {
		if len(p) < priorityBytes {
			return sizeError("HEADERS of a length that cannot be")
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
		return nil, sizeError("a padded frame without a length of its padding")
	}
	padding := int(p[0])
	if padding >= len(p) {
		return nil, protocolError("more padding than frame")
	}
	return p[1 : len(p)-padding], nil
}

func (c *Conn) processContinuation(f *frame, p []byte) error {
	if !c.recv.section.isOpen {
		return protocolError("CONTINUATION of nothing")
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

func (c *Conn) sectionKind(f *frame) (sectionKind, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[f.stream]; s != nil && (c.isServer() || s.headReceived) {
		return trailers, nil
	}
	switch {
	case !c.isServer() && c.isIdle(f.stream):
		return 0, protocolError("an answer to nothing")
	case !c.isServer():
		return responseHead, nil
	case f.stream%2 == 0:
		return 0, protocolError("a stream of an even number is opened")
	case f.stream > c.maxPeerID:
		return requestHead, nil
	case c.resetIDs.has(f.stream) || c.endedIDs.has(f.stream):
		return closedHead, nil
	}
	return 0, protocolError("a stream is opened below another one")
}

// maxEncodedSection returns the limit for the encoded length of a section. A longer section ends the connection; a section
// that is only too long when decoded affects only its stream.
func (o *Options) maxEncodedSection() int { return 2 * o.HeadBytes }

// continueSection decodes a fragment of the section. Decoding costs time for the whole encoded length, even if the fields are
// dropped, so that length is limited.
func (c *Conn) continueSection(f *frame, p []byte) error {
	s := &c.recv.section
	if s.encodedBytes += len(p); s.encodedBytes > c.options.maxEncodedSection() {
		return &ConnError{CodeEnhanceYourCalm, "a field section is far too long"}
	}
	if _, err := c.recv.decoder.Write(p); err != nil {
		return &ConnError{CodeCompression, "a field section cannot be decompressed"}
	}
	if !f.has(flagEndHeaders) {
		return nil
	}
	if c.recv.decoder.Close() != nil {
		return &ConnError{CodeCompression, "a field section ends in the middle of a field"}
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
		return &ConnError{CodeStreamClosed, "HEADERS on a stream that is closed"}
	case s == nil: // the peer could not know, or our side has let go of it
		section.head.release()
		return nil
	case s.recvEnded:
		return streamError{s.id, CodeStreamClosed}
	case section.malformed:
		return streamError{s.id, CodeProtocol}
	case section.kind == trailers:
		return s.processTrailers(section)
	}
	return s.processResponse(section)
}

// processRequest opens a stream for a request.
func (c *Conn) processRequest(section *section) error {
	id := section.stream
	c.maxPeerID = id
	switch {
	case c.err != nil:
		return c.err
	case c.shutdown == goAwayFinal: // the peer knows that it has to go elsewhere
		c.resetIDs.add(id, maxResetIDs)
		return nil
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
	if s.noBody || h.Status == 204 || h.Status == 304 {
		s.declaredLength = 0 // what the length says is about another answer (RFC 9110 section 8.6)
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
