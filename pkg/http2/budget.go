package http2

import "sync"

// Budget is how often one connection may do what costs Limpet, or a pod, more than it costs the peer. What such frames hold
// in memory is bounded elsewhere; this bounds how often they come. More than that ends the connection (RFC 9113 section
// 10.5).
type Budget struct {
	// A stream that is reset has cost a pod a request already. Those count that the peer resets, and those that are reset
	// for what it did.
	ResetBurst, ResetsPerSecond int64
	// Frames that do nothing for a request.
	EmptyFrameBurst, EmptyFramesPerSecond int64
}

// Allowance is how much of something may be used: some at once, and some more each second. It is safe for concurrent use.
type RateLimiter struct {
	mu          sync.Mutex
	milliTokens int64 // thousandths
	burst       int64
	perSecond   int64
	updated     int64 // milliseconds, when left was right
}

// NewAllowance makes one that is whole at that time, in milliseconds.
func NewRateLimiter(burst, perSecond, clock int64) RateLimiter {
	return RateLimiter{milliTokens: burst * 1000, burst: burst, perSecond: perSecond, updated: clock}
}

// Use takes one, and reports whether there was one.
func (l *RateLimiter) Allow(clock int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.milliTokens = min(l.milliTokens+(clock-l.updated)*l.perSecond, l.burst*1000)
	l.updated = clock
	if l.milliTokens < 1000 {
		return false
	}
	l.milliTokens -= 1000
	return true
}

// leastPiece is of a field section. What has come of a field is copied with every piece of it, so that those of single bytes
// cost thousands of times what was sent.
const minContinuation = 1 << 10

// isEmpty reports whether a frame does nothing for a request. Updates of windows do, if small ones do little: they are not
// answered, hold nothing, and honest peers send two for each few KiB that they take.
func (f *frame) isEmpty() bool {
	switch f.kind {
	case frameHeaders, frameReset, frameWindowUpdate:
		return false
	case frameData:
		return f.length == 0 && !f.has(flagEndStream)
	case frameContinuation:
		return f.length < minContinuation && !f.has(flagEndHeaders)
	}
	return true
}

// countFrame takes note of a frame. It fails if that was too many.
func (c *Conn) countFrame(f *frame) error {
	switch {
	case f.kind == frameReset:
		return c.countReset()
	case f.isEmpty() && !c.recv.emptyLimiter.Allow(c.options.Clock()):
		return ErrFlood
	}
	return nil
}

// countReset takes note of a stream that the peer has reset, or brought to be reset.
func (c *Conn) countReset() error {
	if !c.recv.resetLimiter.Allow(c.options.Clock()) {
		return ErrFlood
	}
	return nil
}
