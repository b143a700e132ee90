package http1

import "io"

// Output is a write buffer. It takes a buffer from a pool when something is written, and returns it on Flush. The
// zero value is ready to use.
type Output struct {
	// Buf contains the buffered bytes. After Begin, append to it with the functions of this package.
	Buf     []byte
	pooled  *[BufferSize]byte
	flushed bool // a part of the message was written already
}

// Begin makes sure that there is a buffer.
func (o *Output) Begin() {
	if o.pooled == nil {
		o.pooled = buffers.Get().(*[BufferSize]byte)
		o.Buf = o.pooled[:0]
	}
}

// fits reports whether n more bytes fit into the pooled buffer. Appending more is allowed: the buffer grows for an
// oversized head.
func (o *Output) fits(n int) bool { return len(o.Buf)+n <= BufferSize }

// Flush writes the buffered bytes to w and returns the buffer.
func (o *Output) Flush(w io.Writer) error {
	if len(o.Buf) == 0 {
		o.Drop()
		return nil
	}
	_, err := w.Write(o.Buf)
	o.Drop()
	o.flushed = true
	return err
}

// FlushAndWait flushes a request and waits for the first bytes of the response (see Conn.WriteAndWait). If it returns
// ErrStale, no part of the request was processed, and the buffered bytes are kept.
func (o *Output) FlushAndWait(c *Conn, limit int) error {
	err := c.WriteAndWait(o.Buf, limit)
	if err == ErrStale && !o.flushed {
		return err
	}
	if err == ErrStale {
		err = io.EOF
	}
	o.Drop()
	return err
}

// Flushed reports whether a part of the message was written already.
func (o *Output) Flushed() bool { return o.flushed }

// Drop discards the buffered bytes and returns the buffer.
func (o *Output) Drop() {
	if o.pooled != nil {
		buffers.Put(o.pooled)
	}
	o.pooled, o.Buf, o.flushed = nil, nil, false
}

// Write buffers p if it fits. Otherwise it writes the buffered bytes and p to w.
func (o *Output) Write(w io.Writer, p []byte) error { return o.write(w, p, 0) }

// write is like Write, and leaves space for more bytes.
func (o *Output) write(w io.Writer, p []byte, more int) error {
	o.Begin()
	if o.fits(len(p) + more) {
		o.Buf = append(o.Buf, p...)
		return nil
	}
	if err := o.Flush(w); err != nil {
		return err
	}
	if len(p) < BufferSize/2 {
		o.Begin()
		o.Buf = append(o.Buf, p...)
		return nil
	}
	_, err := w.Write(p)
	o.flushed = true
	return err
}

// maxChunkHeader is the maximum length of a chunk header: the size in hex and CRLF.
const maxChunkHeader = 16 + 2

// WriteChunk is like Write for one chunk of a chunked body. p must not be empty.
func (o *Output) WriteChunk(w io.Writer, p []byte) error {
	o.Begin()
	if !o.fits(maxChunkHeader) {
		if err := o.Flush(w); err != nil {
			return err
		}
		o.Begin()
	}
	o.Buf = AppendChunkHeader(o.Buf, len(p))
	if err := o.write(w, p, len("\r\n")); err != nil {
		return err
	}
	o.Begin()
	o.Buf = append(o.Buf, "\r\n"...)
	return nil
}
