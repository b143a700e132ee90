package http2

import "sync"

// Budget limits the frames of one connection that cost the receiver more than the sender. The memory that they occupy is
// limited elsewhere; this limits their rate. Exceeding it ends the connection with ErrFlood (RFC 9113 section 10.5).
type Budget struct {
	// ResetBurst and ResetsPerSecond limit resets, because a pod may already have received the request. They count streams
	// that the peer resets, streams that are reset because the peer caused an error, and field sections on streams that were
	// reset before.
	ResetBurst, ResetsPerSecond int64
	// EmptyFrameBurst and EmptyFramesPerSecond limit frames that carry nothing for a request.
	EmptyFrameBurst, EmptyFramesPerSecond int64
}

// RateLimiter is a token bucket. It is safe for concurrent use.
type RateLimiter struct {
	mu          sync.Mutex
	milliTokens int64 // thousandths of a token, as of updated
	burst       int64
	perSecond   int64
	updated     int64 // milliseconds
}

// NewRateLimiter returns a full token bucket. clock is the current time in milliseconds.
func NewRateLimiter(burst, perSecond, clock int64) RateLimiter {
	return RateLimiter{milliTokens: burst * 1000, burst: burst, perSecond: perSecond, updated: clock}
}

// Allow takes a token. It returns false if the bucket is empty.
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

// minContinuation is the size, in bytes, below which a CONTINUATION frame without END_HEADERS counts as empty. The HPACK
// decoder copies an incomplete field with every fragment, so single-byte fragments would cost thousands of times their size.
const minContinuation = 1 << 10

// isEmpty reports whether the frame carries nothing for a request. Window updates do not count as empty, even small ones:
// they cause no response and occupy no memory, and honest peers send two for every few KiB that they read.
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

// countFrame charges the frame to the budget. It returns ErrFlood if the budget is exceeded.
func (c *Conn) countFrame(f *frame) error {
	switch {
	case f.kind == frameReset:
		return c.countReset()
	case f.isEmpty() && !c.recv.emptyLimiter.Allow(c.options.Clock()):
		return ErrFlood
	}
	return nil
}

// countReset charges a reset to the budget, for a stream that the peer reset or that was reset because of the peer.
func (c *Conn) countReset() error {
	if !c.recv.resetLimiter.Allow(c.options.Clock()) {
		return ErrFlood
	}
	return nil
}
