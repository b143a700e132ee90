package tracing

import (
	"context"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"
)

// Options configures a Tracer.
type Options struct {
	// Endpoint is the URL of the OTLP receiver for HTTP, without /v1/traces.
	Endpoint *url.URL
	// SampleRatio is the share of the traces that begin here and are sampled.
	SampleRatio float64
	// Version is the version of the program.
	Version string
	// Instance names the replica, such as its pod. Empty adds no name.
	Instance string
	// Exported is called for each batch of spans, with the error if it was lost.
	Exported func(spans int, err error)
}

// Tracer makes and exports spans. It is safe for concurrent use.
type Tracer struct {
	sampleAll bool
	threshold uint64 // of random numbers that are sampled
	provider  *sdktrace.TracerProvider
	tracer    trace.Tracer
}

// maxAttribute limits the length of attributes in bytes. Paths come from clients.
const maxAttribute = 1024

// New returns a Tracer. The caller must call Close.
func New(o Options) *Tracer {
	exporter := otlptrace.NewUnstarted(newExporter(&o))
	attributes := []attribute.KeyValue{semconv.ServiceName("limpet"), semconv.ServiceVersion(o.Version)}
	if o.Instance != "" {
		attributes = append(attributes, semconv.ServiceInstanceID(o.Instance))
	}
	_ = exporter.Start(context.Background()) // never fails
	limits := sdktrace.NewSpanLimits()
	limits.AttributeValueLengthLimit = maxAttribute
	// The queue of a batcher is bounded: when the receiver is away, spans are dropped.
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithSampler(sdktrace.AlwaysSample()),
		sdktrace.WithIDGenerator(chosenIDs{}), sdktrace.WithRawSpanLimits(limits),
		sdktrace.WithResource(resource.NewWithAttributes(semconv.SchemaURL, attributes...)))
	return &Tracer{
		sampleAll: o.SampleRatio >= 1, threshold: thresholdOf(o.SampleRatio),
		provider: provider, tracer: provider.Tracer("github.com/limpet-dev/limpet"),
	}
}

// Close exports the spans that are waiting, until ctx is done.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// Request has the attributes of the span of a request. All texts may come from a client. They are copied.
type Request struct {
	Context
	Start, End         time.Time
	Method, Path, Host []byte
	Port               int
	Scheme, Protocol   string // such as HTTP/1.1
	Client             string // address
	RequestID          []byte
	Status             int
	Failure            string // why it failed, or ""
	// Route is the path of the route, or "" without one. Source is the Ingress, as namespace/name.
	Route, Source string
	Pool          string
	// Outcome and Reason are the decision of the affinity, without a backend "".
	Outcome, Reason string
	Attempts        []Attempt
}

// Attempt has the attributes of the span of an attempt.
type Attempt struct {
	Span       SpanID
	Start, End time.Time
	Address    string // of the pod, with its port
	Pod        string // its name, or ""
	Status     int    // of its response, zero without one
	Failure    string
}

// Record exports the spans of a request that has ended. Its context must be sampled.
func (t *Tracer) Record(r *Request) {
	ctx := context.Background()
	if r.Parent != (SpanID{}) {
		ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID(r.Trace), SpanID: trace.SpanID(r.Parent), TraceFlags: trace.FlagsSampled, Remote: true,
		}))
	}
	method := knownMethod(string(r.Method))
	ctx, span := t.tracer.Start(choose(ctx, r.Trace, r.Span), spanName(method, r.Route), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithTimestamp(r.Start), trace.WithAttributes(r.attributes(method)...))
	for i := range r.Attempts {
		t.recordAttempt(ctx, r, i, method)
	}
	if r.Status >= 500 { // a failure of the client is no error of the server
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(r.End))
}

func (t *Tracer) recordAttempt(ctx context.Context, r *Request, number int, method string) {
	a := &r.Attempts[number]
	_, span := t.tracer.Start(choose(ctx, r.Trace, a.Span), method, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(a.Start), trace.WithAttributes(a.attributes(r, number, method)...))
	if a.Failure != "" || a.Status >= 400 {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(a.End))
}

// chosenIDs makes the spans of the SDK have the IDs that were sent to pods before.
type chosenIDs struct{}

type idsKey struct{}

type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

// choose returns a context in which the next span has these IDs.
func choose(ctx context.Context, of TraceID, span SpanID) context.Context {
	return context.WithValue(ctx, idsKey{}, ids{trace.TraceID(of), trace.SpanID(span)})
}

// NewIDs implements sdktrace.IDGenerator.
func (chosenIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	chosen, _ := ctx.Value(idsKey{}).(ids)
	return chosen.trace, chosen.span
}

// NewSpanID implements sdktrace.IDGenerator.
func (chosenIDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	chosen, _ := ctx.Value(idsKey{}).(ids)
	return chosen.span
}
