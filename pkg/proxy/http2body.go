package proxy

import (
	"io"
	"net/http"
	"sync"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// answerBody is the body of a pod's answer, whatever protocol it comes by.
type answerBody interface {
	// Next gives the next span, as http1.Body.Next does.
	Next(wait bool) ([]byte, error)
	// Trailers are those of the answer, once Next gave io.EOF.
	Trailers() []http1.Field
}

var (
	_ answerBody = (*http1.Body)(nil)
	_ answerBody = (*http2Body)(nil)
)

const http2Span = 32 << 10

var http2Spans = sync.Pool{New: func() any { return new([http2Span]byte) }}

// http2Body is the body of an answer that came over HTTP/2.
type http2Body struct {
	answer   *http.Response
	space    *[http2Span]byte
	err      error // what the next read would give
	trailers []http1.Field
}

// Next is part of answerBody. Whether a span has arrived cannot be known without reading it.
func (b *http2Body) Next(wait bool) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	if !wait {
		return nil, http1.ErrIncomplete
	}
	if b.space == nil {
		b.space = http2Spans.Get().(*[http2Span]byte)
	}
	n, err := b.answer.Body.Read(b.space[:])
	if err != nil {
		b.end(err)
	}
	if n > 0 {
		return b.space[:n], nil
	}
	return nil, err
}

func (b *http2Body) end(err error) {
	b.err = err
	if err != io.EOF {
		return
	}
	b.trailers = fieldsOf(b.answer.Trailer)
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

// Trailers is part of answerBody.
func (b *http2Body) Trailers() []http1.Field { return b.trailers }

func (b *http2Body) release() {
	if b.space != nil {
		http2Spans.Put(b.space)
	}
}
