package http1

import "io"

// Body reads the body of a message from a Conn without copying. The zero value is an empty body.
type Body struct {
	conn    *Conn
	framing Framing
	left    int64 // remaining bytes with BodyLength
	chunked Chunked
	span    int  // length of the last result of Next, consumed by the next call
	more    bool // whether the end of the body was not reached
}

// Reset makes b an empty body and keeps its memory.
func (b *Body) Reset() { b.conn, b.framing, b.span, b.more = nil, BodyNone, 0, false }

// Begin makes b the body of a message whose head was read from conn and consumed.
func (b *Body) Begin(conn *Conn, m *Message, lim *Limits) {
	b.conn, b.framing, b.left, b.span = conn, m.Body, m.ContentLength, 0
	b.more = m.Body != BodyNone
	if m.Body == BodyChunked {
		b.chunked.Reset(lim)
		b.chunked.lenient = m.isResponse
	}
}

// Next returns the next bytes of the body, which are valid until the next call. At the end of the body it returns
// io.EOF. It returns io.ErrUnexpectedEOF if the connection ends before the body, and an *Error if the body is
// malformed.
//
// If wait is false, Next does not block, and returns ErrIncomplete if no bytes have arrived.
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

// Done reports whether the whole body was read, so that the next byte of the Conn starts the next message. It is
// always false for BodyUntilClose.
func (b *Body) Done() bool { return !b.more && b.framing != BodyUntilClose }

// Normalized reports whether the chunks that were read deviate from the grammar. The connection must not be reused then.
func (b *Body) Normalized() bool { return b.framing == BodyChunked && b.chunked.normalized }

// Trailers returns the trailer fields of a chunked body after Next has returned io.EOF. They are valid until the
// next Begin.
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

// buffered returns bytes that have already arrived, or ErrIncomplete.
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
