package http1

// Held keeps the bytes of a head alive while its connection reads on into another buffer. The zero value holds none.
type Held struct {
	pooled *[BufferSize]byte
}

// Hold consumes the first n buffered bytes and hands the buffer they are in over to h: what points into them stays
// valid until h is released (docs/adr/0007). Bytes behind them move to a buffer of their own.
func (c *Conn) Hold(n int, h *Held) {
	rest := c.buf[c.r+n : c.w]
	h.pooled = c.pooled
	c.pooled, c.long, c.buf, c.r, c.w = nil, nil, nil, 0, 0 // heads are rarely in long buffers: no pool gets those back
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

// Release ends the validity of what pointed into the held bytes.
func (h *Held) Release() {
	if h.pooled != nil {
		buffers.Put(h.pooled)
		h.pooled = nil
	}
}
