package proxy

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// http3ReadSize is the size of the buffer for a body, and so the maximum size of one read.
const http3ReadSize = 16 << 10

var errShortBody = &http1.Error{Status: http.StatusBadRequest, Reason: "the body is shorter than its Content-Length"}

// http3Body is a request body that quic-go reads. It implements exchange.MessageBody.
type http3Body struct {
	r         *http.Request
	buf       []byte // allocated by the first read
	peeked    []byte // data that probeBody read; the next call of Next returns it
	ended     bool   // the body was read to its end
	trailers  []http1.Field
	isInvalid atomic.Bool // reading failed because the client violated the protocol
}

// setBodyFraming derives the framing of the body from Content-Length. It refuses a value that differs from what quic-go parsed:
// quic-go uses the first of several values, reads an invalid one as zero, and accepts a length without a body (RFC 9114
// section 4.1.2).
func (s *http3Stream) setBodyFraming() error {
	req := s.exchange.Request()
	switch {
	case req.ContentLength >= 0 && req.ContentLength != s.r.ContentLength:
		return http1.ErrLength
	case s.r.ContentLength < 0:
		if err := s.probeBody(); err != nil {
			return err
		}
	case s.r.ContentLength == 0:
		s.body.ended = true
		if mayRequireLength(req.Method) {
			req.ContentLength = 0
		}
	}
	return req.SetExpect()
}

// probeBody sets the framing of a body of unknown length. quic-go does not report whether the stream has ended after the head.
// If the method rarely has a body, probeBody waits for the first data or for the end of the stream.
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

// Next returns the next part of the body, or io.EOF. Without wait it never blocks, and returns http1.ErrIncomplete instead.
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
	if err == io.ErrUnexpectedEOF { // the stream ended in order, before Content-Length (RFC 9114 section 4.1.2)
		return nil, errShortBody
	}
	if err != nil && err != io.EOF && isInvalidBody(err) {
		b.isInvalid.Store(true)
	}
	return nil, err
}

// read reads at least one byte or returns an error. For trailers and for a frame without data, quic-go returns neither.
func (b *http3Body) read(p []byte) (n int, err error) {
	for n == 0 && err == nil {
		n, err = b.r.Body.Read(p)
	}
	return n, err
}

// Trailers returns the trailers, after Next has returned io.EOF.
func (b *http3Body) Trailers() []http1.Field { return b.trailers }

// fieldsOf converts trailers to the fields that the exchange forwards.
func fieldsOf(header http.Header) []http1.Field {
	var fields []http1.Field
	for name, values := range header {
		for _, value := range values {
			fields = append(fields, http1.Field{Name: []byte(name), Value: []byte(value), ID: http1.NameID([]byte(name))})
		}
	}
	return fields
}
