package http1

import "io"

// Output collects what is written to a connection, in a buffer from the pool that it holds only while there is
// something in it. The zero value is ready for use.
type Output struct {
	// Buf is what waits to be written: append to it with the functions of this package, after Begin.
	Buf    []byte
	pooled *[BufferSize]byte
	begun  bool // what is in Buf is not all: some was written before
}

// Begin makes sure that there is a buffer to append to.
func (o *Output) Begin() {
	if o.pooled == nil {
		o.pooled = buffers.Get().(*[BufferSize]byte)
		o.Buf = o.pooled[:0]
	}
}

// fits reports whether n more bytes fit in the buffer. More may be appended all the same: it grows for an oversized
// head.
func (o *Output) fits(n int) bool { return len(o.Buf)+n <= BufferSize }

// Flush writes what was collected and gives the buffer back.
func (o *Output) Flush(w io.Writer) error {
	if len(o.Buf) == 0 {
		o.Drop()
		return nil
	}
	_, err := w.Write(o.Buf)
	o.Drop()
	o.begun = true
	return err
}

// FlushAndAsk is Flush of a request, followed by the wait for the first bytes of the answer: see Conn.Ask. With ErrStale,
// which holds for the whole request, what was collected is kept.
func (o *Output) FlushAndAsk(c *Conn, limit int) error {
	err := c.Ask(o.Buf, limit)
	if err == ErrStale && !o.begun {
		return err
	}
	if err == ErrStale {
		err = io.EOF
	}
	o.Drop()
	return err
}

// Drop forgets what was collected.
func (o *Output) Drop() {
	if o.pooled != nil {
		buffers.Put(o.pooled)
	}
	o.pooled, o.Buf, o.begun = nil, nil, false
}

// Write collects p if it fits, and otherwise writes all there is, p included.
func (o *Output) Write(w io.Writer, p []byte) error { return o.write(w, p, 0) }

// write leaves room for some more bytes.
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
	o.begun = true
	return err
}

// longestChunkHeader is a size in hex with its CRLF.
const longestChunkHeader = 16 + 2

// WriteChunk is Write of p as one chunk of a chunked body.
func (o *Output) WriteChunk(w io.Writer, p []byte) error {
	o.Begin()
	if !o.fits(longestChunkHeader) {
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
