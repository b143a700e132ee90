package http1

import "io"

// Body reads the body that follows a head on a Conn, span by span, without copying. The zero value is an empty body.
type Body struct {
	conn    *Conn
	framing Framing
	left    int64 // bytes to come, of BodyLength
	chunked Chunked
	span    int  // bytes of the span given out last, to be consumed by the next call
	more    bool // the end of the body was not reached
}

// Reset makes b empty, whatever it was the body of, and keeps its memory.
func (b *Body) Reset() { b.conn, b.framing, b.span, b.more = nil, BodyNone, 0, false }

// Begin makes b the body of a message whose head was read from conn and consumed.
func (b *Body) Begin(conn *Conn, m *Message, lim *Limits) {
	b.conn, b.framing, b.left, b.span = conn, m.Body, m.ContentLength, 0
	b.more = m.Body != BodyNone
	if m.Body == BodyChunked {
		b.chunked.Reset(lim)
	}
}

// Next gives the next span of the body. It is valid until the next call. At the end it gives io.EOF; io.ErrUnexpectedEOF
// says that the connection ended before the body did, and an *Error that the body is malformed.
//
// With wait unset it gives ErrIncomplete rather than wait for bytes that have not arrived.
func (b *Body) Next(wait bool) ([]byte, error) {
	b.consume()
	for b.more {
		span, err := b.buffered()
		if err != ErrIncomplete {
			return span, err
		}
		if !wait {
			return nil, ErrIncomplete
		}
		if err := b.fill(); err != nil {
			return nil, err
		}
	}
	return nil, io.EOF
}

// Done reports whether the whole body was read, so that the next message begins at the next byte of the Conn. A body
// that ends with its connection is never followed by another.
func (b *Body) Done() bool { return !b.more && b.framing != BodyUntilClose }

// Trailers are the fields after a chunked body, once Next gave io.EOF. They are valid until the next Begin.
func (b *Body) Trailers() []Field {
	if b.framing != BodyChunked || b.more {
		return nil
	}
	return b.chunked.Trailers
}

func (b *Body) consume() {
	if b.span > 0 {
		b.conn.Consume(b.span)
		b.span = 0
	}
}

// buffered gives a span of what has arrived, or ErrIncomplete.
func (b *Body) buffered() ([]byte, error) {
	if b.framing == BodyChunked {
		return b.nextChunk()
	}
	span := b.conn.Buffered()
	if len(span) == 0 {
		return nil, ErrIncomplete
	}
	if b.framing == BodyLength {
		span = span[:min(int64(len(span)), b.left)]
		b.left -= int64(len(span))
		b.more = b.left > 0
	}
	b.span = len(span)
	return span, nil
}

func (b *Body) nextChunk() ([]byte, error) {
	data, n, done, err := b.chunked.Next(b.conn.Buffered())
	if len(data) > 0 {
		b.span = n
		return data, nil
	}
	b.conn.Consume(n)
	if done {
		b.more = false
		return nil, io.EOF
	}
	return nil, err
}

func (b *Body) fill() error {
	err := b.conn.Fill(0)
	if err != io.EOF {
		return err
	}
	if b.framing == BodyUntilClose {
		b.more = false
		return nil
	}
	return io.ErrUnexpectedEOF
}
