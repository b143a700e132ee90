package proxy

import (
	"io"
	"net/http"
	"os"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// http3Span is how much of a body is read at once.
const http3Span = 16 << 10

// frame says how long the body is. quic-go goes by the first of several lengths, takes one that is no number for 0,
// and does not mind one of a body that does not come (RFC 9113 section 8.1.1).
func (s *http3Stream) frame() error {
	req := &s.exchange.req
	switch {
	case req.ContentLength >= 0 && req.ContentLength != s.r.ContentLength:
		return http1.ErrLength
	case s.r.ContentLength < 0:
		return s.frameUnknown()
	case s.r.ContentLength == 0:
		s.ended = true
		if takesBody(req.Method) {
			req.ContentLength = 0
		}
	}
	return nil
}

// frameUnknown is for a body of unknown length. quic-go does not say whether there is one: of a request that can hardly
// have one its beginning, or its end, is waited for.
func (s *http3Stream) frameUnknown() (err error) {
	req := &s.exchange.req
	if !takesBody(req.Method) {
		s.first, err = s.nextBody(true)
		if err == io.EOF {
			return nil
		}
	}
	req.Body = http1.BodyChunked
	return err
}

func (s *http3Stream) nextBody(wait bool) ([]byte, error) {
	if first := s.first; first != nil {
		s.first = nil
		return first, nil
	}
	if s.ended {
		return nil, io.EOF
	}
	if !wait {
		return nil, http1.ErrIncomplete
	}
	if s.buf == nil {
		s.buf = make([]byte, http3Span)
	}
	s.bodySide.start(s.control, s.origin.server.after(s.exchange.bounds.body))
	n, err := s.read(s.buf)
	if s.bodySide.stop() && err != nil || s.interrupted.Load() {
		return nil, os.ErrDeadlineExceeded
	}
	if err == io.EOF {
		s.ended = true
		s.trailer = fieldsOf(s.r.Trailer)
	}
	if n > 0 {
		return s.exchange.count(s.buf[:n], nil)
	}
	return nil, err
}

// read gives at least one byte, or an error. quic-go gives neither for a frame without data, and for trailers.
func (s *http3Stream) read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = s.r.Body.Read(p)
	}
	return n, err
}

func (s *http3Stream) trailers() []http1.Field { return s.trailer }

func (s *http3Stream) interruptBody() {
	s.interrupted.Store(true)
	_ = s.control.SetReadDeadline(longAgo) // fails where the stream has ended, which ends the wait too
}

// fieldsOf gives trailers in the form that the exchange passes them on in.
func fieldsOf(header http.Header) []http1.Field {
	var fields []http1.Field
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, http1.Field{Name: []byte(name), Value: []byte(value), ID: http1.NameID([]byte(name))})
		}
	}
	return fields
}
