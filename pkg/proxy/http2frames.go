package proxy

import (
	"encoding/binary"
	"errors"
	"sync"
)

// frameLimits are how often one connection may do what costs Limpet, or a pod, more than it costs the client. net/http
// bounds what such frames hold in memory; this bounds how often they come. More than that ends the connection (RFC 9113
// section 10.5).
type frameLimits struct {
	resetsAtOnce, resetsPerSecond int64
	emptyAtOnce, emptyPerSecond   int64
}

var usualFrameLimits = frameLimits{
	// A stream that is reset has cost a pod a request already. Browsers that leave a page, and gRPC clients whose
	// deadlines pass, reset all they have open, which maxStreams bounds, and then go on with something else.
	resetsAtOnce: 500, resetsPerSecond: 100,
	// Frames that carry nothing: gRPC clients send a PING for most of what they receive, once a round trip.
	emptyAtOnce: 10_000, emptyPerSecond: 10_000,
}

var errFlood = errors.New("more HTTP/2 frames that carry nothing than are allowed")

// allowance is how much of something may be used: some at once, and some more each second.
type allowance struct {
	mu        sync.Mutex
	left      int64 // thousandths
	atOnce    int64
	perSecond int64
	clock     int64 // of the server, when left was right
}

func newAllowance(atOnce, perSecond, clock int64) allowance {
	return allowance{left: atOnce * 1000, atOnce: atOnce, perSecond: perSecond, clock: clock}
}

// use takes one, and reports whether there was one.
func (a *allowance) use(clock int64) bool {
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

// Types and flags of frames (RFC 9113 section 6), and the codes of streams that a client brings to be reset by the
// other side (section 7).
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameReset        = 0x3
	frameContinuation = 0x9
	frameWindowUpdate = 0x8

	flagEndStream  = 0x1
	flagEndHeaders = 0x4

	codeNone     = 0x0
	codeInternal = 0x2

	frameHeadLength = 9
	resetLength     = 4
)

// frameReader follows the frames of one direction of a connection, whatever pieces they come in.
type frameReader struct {
	head [frameHeadLength + resetLength]byte // of a frame, with the code if it is a reset
	n    int                                 // bytes of head that have come
	skip int                                 // bytes of payload that have yet to come
}

// next reads on to the next frame. It gives what follows its head, and whether there was one.
func (f *frameReader) next(p []byte) (rest []byte, ok bool) {
	skipped := min(f.skip, len(p))
	f.skip -= skipped
	p = p[skipped:]
	for f.n < f.headLength() {
		taken := copy(f.head[f.n:f.headLength()], p)
		if taken == 0 {
			return nil, false
		}
		f.n += taken
		p = p[taken:]
	}
	f.skip = max(0, f.length()-(f.n-frameHeadLength))
	f.n = 0
	return p, true
}

func (f *frameReader) headLength() int {
	if f.n >= frameHeadLength && f.kind() == frameReset {
		return frameHeadLength + resetLength
	}
	return frameHeadLength
}

func (f *frameReader) length() int {
	return int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
}

func (f *frameReader) kind() byte { return f.head[3] }

func (f *frameReader) has(flag byte) bool { return f.head[4]&flag != 0 }

func (f *frameReader) code() uint32 { return binary.BigEndian.Uint32(f.head[frameHeadLength:]) }

// isEmpty reports whether the frame does nothing for a request. Updates of windows do, if small ones do little: they
// are not answered, hold nothing, and honest clients send two for each few KiB that they take.
func (f *frameReader) isEmpty() bool {
	switch f.kind() {
	case frameHeaders, frameReset, frameWindowUpdate:
		return false
	case frameData:
		return f.length() == 0 && !f.has(flagEndStream)
	case frameContinuation:
		return f.length() == 0 && !f.has(flagEndHeaders)
	}
	return true
}

// isClientsFault reports whether a reset from this side is for what the client did: it is as good as one of its own
// then.
func (f *frameReader) isClientsFault() bool {
	code := f.code()
	return code != codeNone && code != codeInternal
}

// frameBudget counts the frames of one connection.
type frameBudget struct {
	in, out       frameReader // each used by one goroutine at a time
	resets, empty allowance
}

func newFrameBudget(l *frameLimits, clock int64) frameBudget {
	return frameBudget{
		in:     frameReader{skip: len(http2Preface) + len("SM\r\n\r\n")},
		resets: newAllowance(l.resetsAtOnce, l.resetsPerSecond, clock),
		empty:  newAllowance(l.emptyAtOnce, l.emptyPerSecond, clock),
	}
}

// received takes note of what came from the client. It returns false if that was too much.
func (b *frameBudget) received(p []byte, clock int64) bool {
	for {
		rest, ok := b.in.next(p)
		switch {
		case !ok:
			return true
		case b.in.kind() == frameReset && !b.resets.use(clock):
			return false
		case b.in.isEmpty() && !b.empty.use(clock):
			return false
		}
		p = rest
	}
}

// sent takes note of what goes to the client. It returns false if that shows too much.
func (b *frameBudget) sent(p []byte, clock int64) bool {
	for {
		rest, ok := b.out.next(p)
		if !ok {
			return true
		}
		if b.out.kind() == frameReset && b.out.isClientsFault() && !b.resets.use(clock) {
			return false
		}
		p = rest
	}
}
