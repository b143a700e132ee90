package tracing

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
)

// Names of the header fields of a trace context.
const (
	FieldTraceparent = "traceparent"
	FieldTracestate  = "tracestate"
)

// TraceID identifies a trace. The zero value is invalid.
type TraceID [16]byte

// SpanID identifies a span. The zero value is invalid.
type SpanID [8]byte

// Context is the trace context of one request. The zero value belongs to a request without tracing.
type Context struct {
	Trace TraceID
	// Parent is the span of the caller, or zero.
	Parent SpanID
	// Span is the span of the request.
	Span SpanID
	// IsSampled reports whether the spans are exported.
	IsSampled bool
}

// parentLength is the length of a traceparent of version 00.
const parentLength = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

// flagSampled is the flag of a traceparent that a caller sets if it has sampled the request.
const flagSampled = 1

// parse reads a traceparent. found is false if it is invalid in any way. The specification allows longer values for later
// versions and does not define the rest, so they are invalid here.
func parse(value []byte) (c Context, found bool) {
	if len(value) != parentLength || string(value[:3]) != "00-" || value[35] != '-' || value[52] != '-' {
		return Context{}, false
	}
	var flags [1]byte
	if !decode(c.Trace[:], value[3:35]) || !decode(c.Parent[:], value[36:52]) || !decode(flags[:], value[53:]) ||
		c.Trace == (TraceID{}) || c.Parent == (SpanID{}) {
		return Context{}, false
	}
	c.IsSampled = flags[0]&flagSampled != 0
	return c, true
}

// decode decodes lower-case hexadecimal digits.
func decode(to, digits []byte) bool {
	for _, b := range digits {
		if (b < '0' || b > '9') && (b < 'a' || b > 'f') {
			return false
		}
	}
	_, err := hex.Decode(to, digits)
	return err == nil
}

// AppendTraceparent appends the traceparent of a request that is sent in a span of the trace.
func (c *Context) AppendTraceparent(b []byte, span SpanID) []byte {
	b = hex.AppendEncode(append(b, "00-"...), c.Trace[:])
	b = hex.AppendEncode(append(b, '-'), span[:])
	if c.IsSampled {
		return append(b, "-01"...)
	}
	return append(b, "-00"...)
}

// NewSpanID returns a random ID.
func NewSpanID() (id SpanID) {
	binary.BigEndian.PutUint64(id[:], nonZero())
	return id
}

func newTraceID() (id TraceID) {
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], nonZero())
	return id
}

// nonZero returns a random number. IDs are not secrets.
func nonZero() uint64 { return max(rand.Uint64(), 1) }

// Begin returns the context of a request. traceparent is the field of a caller whose context counts, or nil: then a trace begins
// here, and chance decides whether it is sampled. Otherwise the caller has decided that.
func (t *Tracer) Begin(traceparent []byte) Context {
	c, found := parse(traceparent)
	if !found {
		c = Context{Trace: newTraceID(), IsSampled: t.sampleAll || rand.Uint64() < t.threshold}
	}
	c.Span = NewSpanID()
	return c
}

// thresholdOf returns the number below which a random number is with a probability of ratio, which must be below 1.
func thresholdOf(ratio float64) uint64 {
	if ratio >= 1 {
		return math.MaxUint64
	}
	return uint64(math.Ldexp(ratio, 64))
}
