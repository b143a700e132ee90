package proxy

import (
	"io"
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// http3Span is how much of a body is read at once.
const http3ReadSize = 16 << 10

// http3Body is the body of a request, which quic-go reads.
type http3Body struct {
	r        *http.Request
	buf      []byte // taken when the body is first read
	peeked   []byte // read before it was known whether there is a body
	ended    bool   // it was read to its end
	trailers []http1.Field
}

// frame says how long the body is. quic-go goes by the first of several lengths, takes one that is no number for 0,
// and does not mind one of a body that does not come (RFC 9113 section 8.1.1).
func (s *http3Stream) setBodyFraming() error {
	req := s.exchange.Request()
	switch {
	case req.ContentLength >= 0 && req.ContentLength != s.r.ContentLength:
		return http1.ErrLength
	case s.r.ContentLength < 0:
		return s.probeBody()
	case s.r.ContentLength == 0:
		s.body.ended = true
		if mayRequireLength(req.Method) {
			req.ContentLength = 0
		}
	}
	return nil
}

// frameUnknown is for a body of unknown length. quic-go does not say whether there is one: of a request that can hardly
// have one its beginning, or its end, is waited for.
func (s *http3Stream) probeBody() (err error) {
	req := s.exchange.Request()
	if !mayRequireLength(req.Method) {
		s.body.peeked, err = s.source.Next(true, s.connection.Engine.After(s.connection.Engine.Timeouts.Body))
		if err == io.EOF {
			return nil
		}
	}
	req.Body = http1.BodyChunked
	return err
}

// Next is that of messageBody.
func (b *http3Body) Next(wait bool) ([]byte, error) {
	switch {
	case b.peeked != nil:
		first := b.peeked
		b.peeked = nil
		return first, nil
	case b.ended:
		return nil, io.EOF
	case !wait:
		return nil, http1.ErrIncomplete
	case b.buf == nil:
		b.buf = make([]byte, http3ReadSize)
	}
	n, err := b.read(b.buf)
	if err == io.EOF {
		b.ended = true
		b.trailers = fieldsOf(b.r.Trailer)
	}
	if n > 0 {
		return b.buf[:n], nil
	}
	return nil, err
}

// read gives at least one byte, or an error. quic-go gives neither for a frame without data, and for trailers.
func (b *http3Body) read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = b.r.Body.Read(p)
	}
	return n, err
}

// Trailers is that of messageBody.
func (b *http3Body) Trailers() []http1.Field { return b.trailers }

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
