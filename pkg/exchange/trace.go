package exchange

import (
	"bytes"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/tracing"
)

// requestTrace is the trace of one request. It is empty if tracing is disabled.
type requestTrace struct {
	tracing.Context
	// attempt is the span of the current attempt.
	attempt tracing.SpanID
	// attempts are those that have ended, if the request is sampled.
	attempts []tracing.Attempt
}

func (t *requestTrace) reset() {
	*t = requestTrace{attempts: t.attempts[:0]}
}

var (
	traceparentName = []byte(tracing.FieldTraceparent)
	tracestateName  = []byte(tracing.FieldTracestate)
)

// beginTrace decides the trace of the request. The context of a client counts only if the peer is a trusted proxy: otherwise
// clients could choose which requests are sampled, and add spans to the traces of others. A context that does not count is not
// forwarded.
func (r *request) beginTrace() {
	if r.Engine.Tracer == nil {
		return
	}
	var parent []byte
	parents := 0
	for i := range r.req.Fields {
		f := &r.req.Fields[i]
		if f.ID == http1.FieldOther && bytes.EqualFold(f.Name, traceparentName) {
			parent = f.Value
			parents++
			r.req.Withhold(i) // the pod receives the span of the attempt
		}
	}
	if !r.Trusted || parents != 1 {
		parent = nil
	}
	r.spans.Context = r.Engine.Tracer.Begin(parent)
	if r.spans.Parent == (tracing.SpanID{}) {
		r.withholdTracestate()
	}
}

func (r *request) withholdTracestate() {
	for i := range r.req.Fields {
		if f := &r.req.Fields[i]; f.ID == http1.FieldOther && bytes.EqualFold(f.Name, tracestateName) {
			r.req.Withhold(i)
		}
	}
}

// appendTrace appends the traceparent of the current attempt.
func (h *podHead) appendTrace(b []byte) []byte {
	if h.Engine.Tracer == nil {
		return b
	}
	b = append(append(b, tracing.FieldTraceparent...), ": "...)
	return append(h.spans.AppendTraceparent(b, h.spans.attempt), "\r\n"...)
}

// beginAttempt chooses the span of an attempt, and returns when it started if it is recorded.
func (t *requestTrace) beginAttempt() (started time.Time) {
	if t.Trace == (tracing.TraceID{}) {
		return started
	}
	t.attempt = tracing.NewSpanID()
	if t.IsSampled {
		started = time.Now()
	}
	return started
}

// endAttempt records an attempt of a sampled request.
func (x *Exchange) endAttempt(started time.Time, f failure) {
	if !x.spans.IsSampled {
		return
	}
	a := tracing.Attempt{
		Span: x.spans.attempt, Start: started, End: time.Now(), Address: x.endpoint.Address, Pod: x.endpoint.Pod,
		Failure: f.reason().String(),
	}
	if f.kind == noFailure || f.kind == statusRefused {
		a.Status, a.Failure = x.resp.Status, x.failure.String()
	}
	x.spans.attempts = append(x.spans.attempts, a)
}

// recordTrace exports the spans of a sampled request.
func (x *Exchange) recordTrace(took time.Duration) {
	r := tracing.Request{
		Context: x.spans.Context, Start: x.start, End: x.start.Add(took),
		Method: x.req.Method, Path: x.view.Path, Host: x.view.Host, Port: int(x.view.Port),
		Scheme: x.view.Scheme(), Protocol: x.protocol, Client: x.view.ClientIP.String(), RequestID: x.view.ID(),
		Status: x.status(), Failure: x.failure.String(),
		Attempts: x.spans.attempts,
	}
	if x.route != nil {
		r.Route, r.Source = x.route.Path, x.route.Source.Namespace+"/"+x.route.Source.Name
	}
	if x.backend != nil {
		r.Pool, r.Outcome, r.Reason = x.backend.Pool.Name, x.decision.Outcome.String(), x.decision.Reason.String()
	}
	x.Engine.Tracer.Record(&r)
}
