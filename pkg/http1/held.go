package http1

// Held keeps the bytes of a head valid while its Conn reads into another buffer. The zero value holds nothing.
type Held struct {
	pooled *[BufferSize]byte
}

// Hold consumes the first n buffered bytes and moves their buffer to h. Pointers into these bytes stay valid until
// h is released (docs/adr/0007). Bytes after them are copied to another buffer.
func (c *Conn) Hold(n int, h *Held) {
	rest := c.buf[c.r+n : c.w]
	h.pooled = c.pooled
	c.pooled, c.long, c.buf, c.r, c.w = nil, nil, nil, 0, 0 // long buffers rarely hold heads, so they are not returned to their pool
	if len(rest) == 0 {
		return
	}
	if len(rest) > BufferSize {
		c.buf = append([]byte(nil), rest...)
		c.w = len(rest)
		return
	}
	c.w = copy(c.room(), rest)
}

// Release returns the buffer. Pointers into the held bytes are invalid afterwards.
func (h *Held) Release() {
	if h.pooled != nil {
		buffers.Put(h.pooled)
		h.pooled = nil
	}
}
