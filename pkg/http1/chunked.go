package http1

// Chunked reads a chunked body (RFC 9112 section 7.1) piece by piece, from buffers of any size.
type Chunked struct {
	// Trailers are the fields after the last chunk, known once Next said done. They are copies held by the Chunked,
	// valid until Reset.
	Trailers []Field
}

// Reset makes c ready for another body and keeps its memory.
func (c *Chunked) Reset(lim *Limits) { panic("later") }

// Next consumes the first n bytes of buf. Exactly one of these holds:
//
//	data is not empty   a piece of the body, inside buf; call again with buf[n:], even if that is empty
//	done                the body has ended with byte n; c.Trailers is set
//	err ErrIncomplete   all of buf is consumed (n == len(buf)): call again with the bytes that follow
//	err *Error          the body is malformed
func (c *Chunked) Next(buf []byte) (data []byte, n int, done bool, err error) { panic("later") }
