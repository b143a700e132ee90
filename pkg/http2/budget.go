package http2

import "sync"

// Budget is how often one connection may do what costs Limpet, or a pod, more than it costs the peer. What such frames hold
// in memory is bounded elsewhere; this bounds how often they come. More than that ends the connection (RFC 9113 section
// 10.5).
type Budget struct {
	// A stream that is reset has cost a pod a request already. Those count that the peer resets, and those that are reset
	// for what it did.
	ResetsAtOnce, ResetsPerSecond int64
	// Frames that do nothing for a request.
	EmptyAtOnce, EmptyPerSecond int64
}

// Allowance is how much of something may be used: some at once, and some more each second. It is safe for concurrent use.
type Allowance struct {
	mu        sync.Mutex
	left      int64 // thousandths
	atOnce    int64
	perSecond int64
	clock     int64 // milliseconds, when left was right
}

// NewAllowance makes one that is whole at that time, in milliseconds.
func NewAllowance(atOnce, perSecond, clock int64) Allowance {
	return Allowance{left: atOnce * 1000, atOnce: atOnce, perSecond: perSecond, clock: clock}
}

// Use takes one, and reports whether there was one.
func (a *Allowance) Use(clock int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = min(a.left+(clock-a.clock)*a.perSecond, a.atOnce*1000)
	a.clock = clock
	if a.left < 1000 {
		return false
	}
	a.left -= 1000
	return true
}

// leastPiece is of a field section. What has come of a field is copied with every piece of it, so that those of single bytes
// cost thousands of times what was sent.
const leastPiece = 1 << 10

// isEmpty reports whether a frame does nothing for a request. Updates of windows do, if small ones do little: they are not
// answered, hold nothing, and honest peers send two for each few KiB that they take.
func (f *frame) isEmpty() bool {
	switch f.kind {
	case frameHeaders, frameReset, frameWindowUpdate:
		return false
	case frameData:
		return f.length == 0 && !f.has(flagEndStream)
	case frameContinuation:
		return f.length < leastPiece && !f.has(flagEndHeaders)
	}
	return true
}

// countFrame takes note of a frame. It fails if that was too many.
func (c *Conn) countFrame(f *frame) error {
	switch {
	case f.kind == frameReset:
		return c.countReset()
	case f.isEmpty() && !c.in.empty.Use(c.options.Clock()):
		return ErrFlood
	}
	return nil
}

// countReset takes note of a stream that the peer has reset, or brought to be reset.
func (c *Conn) countReset() error {
	if !c.in.resets.Use(c.options.Clock()) {
		return ErrFlood
	}
	return nil
}
