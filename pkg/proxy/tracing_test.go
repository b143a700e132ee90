package proxy

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/limpet-dev/limpet/pkg/tracing"
	"github.com/limpet-dev/limpet/test/otlp"
)

const (
	callerTrace = "0af7651916cd43dd8448eb211c80319c"
	callerSpan  = "b7ad6b7169203331"
	traceparent = "traceparent: 00-" + callerTrace + "-" + callerSpan
)

// traced returns the option that makes a share of requests traced, and a function that exports what is waiting.
func traced(t *testing.T, receiver *otlp.Receiver, share float64) (option func(*Options), export func()) {
	t.Helper()
	endpoint, err := url.Parse(receiver.URL)
	if err != nil {
		t.Fatal(err)
	}
	tracer := tracing.New(tracing.Options{Endpoint: endpoint, SampleRatio: share, Exported: func(_ int, err error) {
		if err != nil {
			t.Error(err)
		}
	}})
	export = func() {
		if err := tracer.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { _ = tracer.Close(context.WithoutCancel(t.Context())) }) // without effect after export
	return func(o *Options) { o.Tracer = tracer }, export
}

// parentOf returns the trace, the span and the flags that a pod has received. There must be one traceparent.
func parentOf(t *testing.T, head string) (trace, span, flags string) {
	t.Helper()
	lines := fieldLines(head, "traceparent")
	if len(lines) != 1 {
		t.Fatalf("the pod received %q", lines)
	}
	parts := strings.Split(strings.TrimPrefix(lines[0], "traceparent: "), "-")
	if len(parts) != 4 || parts[0] != "00" || len(parts[1]) != 32 || len(parts[2]) != 16 {
		t.Fatalf("the pod received %q", lines[0])
	}
	return parts[1], parts[2], parts[3]
}

// Clients must not choose which requests are sampled, and must not add spans to traces of others.
func TestTracing_contextOfUntrustedPeer(t *testing.T) {
	option, _ := traced(t, otlp.Start(t), 0)
	r := newRig(t, option)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for _, lines := range [][]string{nil, {traceparent + "-01", "Tracestate: a=b"}, {"traceparent: x", "TraceParent: y", "tracestate: a=b"}} {
		head := r.asked(p, lines...)
		trace, span, flags := parentOf(t, head)
		if trace == callerTrace || span == callerSpan || flags != "00" {
			t.Errorf("the pod received the trace %s, the span %s and the flags %s", trace, span, flags)
		}
		expectFields(t, head, "tracestate:")
	}
}

func TestTracing_contextOfTrustedProxy(t *testing.T) {
	option, _ := traced(t, otlp.Start(t), 1)
	r := newRig(t, option, trusting())
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for flags, want := range map[string]string{"-00": "00", "-01": "01", "-03": "01"} {
		head := r.asked(p, traceparent+flags, "tracestate: a=b")
		trace, span, got := parentOf(t, head)
		if trace != callerTrace || span == callerSpan || got != want {
			t.Errorf("%s: the pod received the trace %s, the span %s and the flags %s", flags, trace, span, got)
		}
		expectFields(t, head, "tracestate: a=b")
	}
	for name, lines := range map[string][]string{
		"invalid": {"traceparent: 00-" + callerTrace + "-0-01", "tracestate: a=b"},
		"several": {traceparent + "-01", traceparent + "-01", "tracestate: a=b"},
	} {
		head := r.asked(p, lines...)
		if trace, _, _ := parentOf(t, head); trace == callerTrace {
			t.Errorf("%s: the trace continues", name)
		}
		expectFields(t, head, "tracestate:")
	}
}

// Without tracing, the context is a field like any other.
func TestTracing_disabled(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	expectFields(t, r.asked(p), "traceparent:")
	expectFields(t, r.asked(p, traceparent+"-01", "tracestate: a=b"), traceparent+"-01", "tracestate: a=b")
}

func TestTracing_spansOfRequestAndAttempts(t *testing.T) {
	receiver := otlp.Start(t)
	option, export := traced(t, receiver, 1)
	r := newRig(t, option)
	p := startEcho(t, "pod-a")
	r.serve(cookieAffinity(), deadPod(t, "pod-dead"), p)
	for range 2 { // in turn, so that one of them is sent to the dead pod first
		r.dial().get("/cart").expectStatus(t, 200)
	}
	r.expectMetric(`limpet_requests_total{code="2xx",pool="shop/cart:80"}`, 2)
	export()
	server, failed, sent := r.retriedRequest(t, receiver)
	if server == nil {
		t.Fatalf("no request with two attempts in %v", receiver.Spans())
	}
	got := otlp.Attributes(server)
	if got["limpet.affinity.outcome"] != "new" || got["limpet.pool"] != cart.String() || got["http.response.status_code"] != int64(200) {
		t.Errorf("request %v", got)
	}
	if got := otlp.Attributes(failed); got["error.type"] != "dial_refused" || got["k8s.pod.name"] != "pod-dead" {
		t.Errorf("first attempt %v", got)
	}
	if got := otlp.Attributes(sent); got["k8s.pod.name"] != "pod-a" || got["http.request.resend_count"] != int64(1) {
		t.Errorf("second attempt %v", got)
	}
	found := false
	for _, head := range p.requests() {
		trace, span, _ := parentOf(t, head)
		found = found || trace == hex.EncodeToString(sent.GetTraceId()) && span == hex.EncodeToString(sent.GetSpanId())
	}
	if !found {
		t.Error("the pod received the span of no attempt")
	}
	text, isExemplar := r.scrape(t), false
	for _, s := range receiver.Spans() { // both requests may be in the same bucket
		isExemplar = isExemplar || strings.Contains(text, `# {trace_id="`+hex.EncodeToString(s.GetTraceId())+`"}`)
	}
	if !isExemplar {
		t.Errorf("no request is an exemplar in:\n%s", text)
	}
}

// scrape returns the metrics in the format with exemplars.
func (r *rig) scrape(t *testing.T) string {
	t.Helper()
	scrape, q := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
	q.Header.Set("Accept", "application/openmetrics-text")
	r.metrics.Handler().ServeHTTP(scrape, q)
	return scrape.Body.String()
}

// retriedRequest returns the span of a request, and those of its two attempts.
func (r *rig) retriedRequest(t *testing.T, receiver *otlp.Receiver) (server, first, second *tracepb.Span) {
	t.Helper()
	for _, s := range receiver.Spans() {
		if s.GetKind() != tracepb.Span_SPAN_KIND_SERVER {
			continue
		}
		var attempts []*tracepb.Span
		for _, a := range receiver.Spans() {
			if string(a.GetParentSpanId()) == string(s.GetSpanId()) {
				attempts = append(attempts, a)
			}
		}
		if len(attempts) == 2 {
			return s, attempts[0], attempts[1]
		}
	}
	return nil, nil, nil
}

// A request that is not sampled must not allocate, either.
func TestAllocs_unsampledRequest(t *testing.T) {
	option, _ := traced(t, otlp.Start(t), 0)
	s := newSteady(t, false, option)
	const requests = 2000
	for range requests / 10 {
		s.ask()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range requests {
		s.ask()
	}
	runtime.ReadMemStats(&after)
	if got := float64(after.Mallocs-before.Mallocs) / requests; got > allocationsAllowed {
		t.Errorf("%.3f allocations a request, want none", got)
	}
}
