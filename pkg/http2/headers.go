package http2

import "golang.org/x/net/http2/hpack"

// takeHeaders begins a field section.
func (c *Conn) takeHeaders(f *frame, p []byte) error {
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
		dependsOnItself = streamIn(p) == f.stream
		p = p[priorityBytes:]
	}
	if err := c.beginSection(f); err != nil {
		return err
	}
	c.in.section.malformed = dependsOnItself
	return c.continueSection(f, p)
}

// unpad takes the padding off (RFC 9113 section 6.2).
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

func (c *Conn) takeContinuation(f *frame, p []byte) error {
	if !c.in.section.isOpen {
		return protocolError("CONTINUATION of nothing")
	}
	return c.continueSection(f, p)
}

// beginSection finds out what the section is: the head of a request, that of an answer, or trailers.
func (c *Conn) beginSection(f *frame) error {
	kind, err := c.kindOf(f)
	if err != nil {
		return err
	}
	s := &c.in.section
	*s = section{
		stream: f.stream, isOpen: true, end: f.has(flagEndStream), kind: kind, head: newHead(&c.in.spill),
		limit: c.options.HeadBytes, fields: c.options.Fields, lenient: !c.isServer(),
	}
	if kind == trailers {
		s.limit = c.options.TrailerBytes
	}
	c.in.decoder.SetEmitEnabled(true)
	return nil
}

func (c *Conn) kindOf(f *frame) (sectionKind, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.streams[f.stream]; s != nil && (c.isServer() || s.final) {
		return trailers, nil
	}
	switch {
	case !c.isServer() && c.isIdle(f.stream):
		return 0, protocolError("an answer to nothing")
	case !c.isServer():
		return answerHead, nil
	case f.stream%2 == 0:
		return 0, protocolError("a stream of an even number is opened")
	case f.stream > c.lastPeer:
		return requestHead, nil
	case c.reset.has(f.stream) || c.ended.has(f.stream):
		return closedHead, nil
	}
	return 0, protocolError("a stream is opened below another one")
}

// mostEncoded is how long a section may be as it is sent. What is shorter, and too long all the same, is its stream's affair.
func (o *Options) mostEncoded() int { return 2 * o.HeadBytes }

// continueSection decompresses a part of the section. A section costs time for as long as it is encoded, whatever is kept
// of it.
func (c *Conn) continueSection(f *frame, p []byte) error {
	s := &c.in.section
	if s.encoded += len(p); s.encoded > c.options.mostEncoded() {
		return &ConnError{CodeEnhanceYourCalm, "a field section is far too long"}
	}
	if _, err := c.in.decoder.Write(p); err != nil {
		return &ConnError{CodeCompression, "a field section cannot be decompressed"}
	}
	if !f.has(flagEndHeaders) {
		return nil
	}
	if c.in.decoder.Close() != nil {
		return &ConnError{CodeCompression, "a field section ends in the middle of a field"}
	}
	s.isOpen = false
	s.head.settle()
	s.settle()
	return c.endSection(s)
}

func (c *Conn) addField(f hpack.HeaderField) {
	s := &c.in.section
	s.add(f)
	if s.malformed || s.head.TooLarge {
		c.in.decoder.SetEmitEnabled(false)
	}
}

// endSection gives the section to its stream.
func (c *Conn) endSection(section *section) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[section.stream]
	switch {
	case section.kind == requestHead:
		return c.endRequest(section)
	case section.kind == closedHead && !c.reset.has(section.stream):
		return &ConnError{CodeStreamClosed, "HEADERS on a stream that is closed"}
	case s == nil: // the peer could not know, or our side has let go of it
		section.head.release()
		return nil
	case s.recvEnded:
		return streamError{s.id, CodeStreamClosed}
	case section.malformed:
		return streamError{s.id, CodeProtocol}
	case section.kind == trailers:
		return s.takeTrailers(section)
	}
	return s.takeAnswer(section)
}

// endRequest opens a stream.
func (c *Conn) endRequest(section *section) error {
	id := section.stream
	c.lastPeer = id
	switch {
	case c.err != nil:
		return c.err
	case c.leaving == left: // the peer knows that it has to go elsewhere
		c.reset.add(id, mostReset)
		return nil
	case section.malformed:
		return streamError{id, CodeProtocol}
	case len(c.streams) >= c.options.Streams || c.running >= 2*c.options.Streams:
		return streamError{id, CodeRefused}
	}
	charged, ok := c.charge(section.head)
	if !ok {
		return c.refuse(section)
	}
	s := c.newStream(id)
	s.account, s.charged = c.account, charged
	s.Head, s.final, s.declared = section.head, true, section.head.ContentLength
	s.recvEnded = section.end
	c.running++
	if c.opened++; c.options.Requests > 0 && c.opened >= c.options.Requests {
		c.goAway()
	}
	c.start(s)
	return nil
}

// takeTrailers ends the stream: nothing else may follow (RFC 9113 section 8.1).
func (s *Stream) takeTrailers(section *section) error {
	if !section.end || section.head.TooLarge {
		section.head.release()
		return streamError{s.id, CodeProtocol}
	}
	s.trailers = section.head
	return s.endReceiving()
}

// mostInterim bounds how many interim answers are kept until somebody asks for them.
const mostInterim = 32

func (s *Stream) takeAnswer(section *section) error {
	h := section.head
	interim := h.Status < 200
	if interim && (section.end || s.interims == mostInterim) || h.TooLarge {
		return streamError{s.id, CodeProtocol}
	}
	if interim {
		s.interims++
		s.tell(h)
		return nil
	}
	s.final = true
	s.declared = h.ContentLength
	if s.bodiless || h.Status == 204 || h.Status == 304 {
		s.declared = 0 // what the length says is about another answer (RFC 9110 section 8.6)
	}
	if section.end {
		if err := s.endReceiving(); err != nil {
			return err
		}
	}
	s.tell(h)
	return nil
}

// tell gives a head to whoever awaits one.
func (s *Stream) tell(h *Head) {
	s.heads = append(s.heads, h)
	s.readable.Broadcast()
}
