package tracing

import (
	"net/url"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/limpet-dev/limpet/test/otlp"
)

// newTracer returns a tracer that exports to the receiver, and a function that ends it and returns the number of spans that were
// lost.
func newTracer(t *testing.T, r *otlp.Receiver) (*Tracer, func() int) {
	t.Helper()
	endpoint, err := url.Parse(r.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	tracer := New(Options{Endpoint: endpoint, SampleRatio: 1, Version: "v1", Instance: "limpet-0", Exported: func(spans int, err error) {
		if err != nil {
			lost += spans
		}
	}})
	return tracer, func() int {
		if err := tracer.Close(t.Context()); err != nil {
			t.Error(err)
		}
		return lost
	}
}

// named returns the span with a name.
func named(t *testing.T, r *otlp.Receiver, name string) *tracepb.Span {
	t.Helper()
	var found *tracepb.Span
	for _, s := range r.Spans() {
		if s.GetName() == name {
			found = s // the last one
		}
	}
	if found == nil {
		t.Fatalf("no span %s in %v", name, r.Spans())
	}
	return found
}

func TestRecord_spans(t *testing.T) {
	r := otlp.Start(t)
	tracer, end := newTracer(t, r)
	c := tracer.Begin([]byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	start := time.Unix(1000, 0)
	first, second := NewSpanID(), NewSpanID()
	tracer.Record(&Request{
		Context: c, Start: start, End: start.Add(time.Second), Method: []byte("GET"), Path: []byte("/cart/7"), Host: []byte("shop.example"),
		Port: 443, Scheme: "https", Protocol: "HTTP/1.1", Client: "192.0.2.1", Status: 200, Route: "/cart", Source: "shop/cart",
		Pool: "shop/cart:80", Outcome: "moved", Reason: "gone", Attempts: []Attempt{
			{Span: first, Start: start, End: start, Address: "10.0.0.1:80", Pod: "cart-0", Failure: "dial"},
			{Span: second, Start: start, End: start, Address: "[2001:db8::1]:80", Status: 200},
		},
	})
	if lost := end(); lost != 0 {
		t.Errorf("%d spans were lost", lost)
	}
	if service := r.Resource(); service["service.name"] != "limpet" || service["service.instance.id"] != "limpet-0" {
		t.Errorf("resource %v", service)
	}
	server, client := named(t, r, "GET /cart"), named(t, r, "GET")
	if string(server.GetTraceId()) != string(c.Trace[:]) || string(server.GetSpanId()) != string(c.Span[:]) ||
		string(server.GetParentSpanId()) != string(c.Parent[:]) || server.GetKind() != tracepb.Span_SPAN_KIND_SERVER {
		t.Errorf("server span %v", server)
	}
	if string(client.GetParentSpanId()) != string(c.Span[:]) || client.GetKind() != tracepb.Span_SPAN_KIND_CLIENT {
		t.Errorf("client span %v", client)
	}
	if server.GetEndTimeUnixNano()-server.GetStartTimeUnixNano() != uint64(time.Second) {
		t.Errorf("from %d to %d", server.GetStartTimeUnixNano(), server.GetEndTimeUnixNano())
	}
	for key, want := range map[string]any{
		"http.request.method": "GET", "url.path": "/cart/7", "url.scheme": "https", "http.route": "/cart", "server.address": "shop.example",
		"server.port": int64(443), "http.response.status_code": int64(200), "network.protocol.version": "1.1",
		"limpet.affinity.outcome": "moved", "limpet.affinity.reason": "gone", "limpet.ingress": "shop/cart", "limpet.pool": "shop/cart:80",
	} {
		if got := otlp.Attributes(server)[key]; got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	for key, want := range map[string]any{
		"server.address": "2001:db8::1", "server.port": int64(80), "url.full": "https://shop.example/cart/7",
		"http.request.resend_count": int64(1),
	} {
		if got := otlp.Attributes(client)[key]; got != want {
			t.Errorf("attempt: %s is %v, want %v", key, got, want)
		}
	}
}

// Regardless of what clients send, the batch must be exported, and names of spans must not be theirs.
func TestRecord_hostileTexts(t *testing.T) {
	r := otlp.Start(t)
	tracer, end := newTracer(t, r)
	long := make([]byte, 60_000)
	for i := range long {
		long[i] = 'a'
	}
	tracer.Record(&Request{
		Context: tracer.Begin(nil), Method: []byte("BREW\xff"), Path: append([]byte("/\xff\xfe"), long...), Host: []byte("\xff"), Status: 400,
		RequestID: []byte("\xff"), Attempts: []Attempt{{Span: NewSpanID(), Address: "no port"}},
	})
	if lost := end(); lost != 0 {
		t.Errorf("%d spans were lost", lost)
	}
	got := otlp.Attributes(named(t, r, "HTTP"))
	if path, _ := got["url.path"].(string); len(path) == 0 || len(path) > 2*maxAttribute {
		t.Errorf("the path has %d bytes", len(path))
	}
	if got["http.request.method"] != otherMethod || got["http.request.method_original"] != "BREW\uFFFD" {
		t.Errorf("attributes %v", got)
	}
}

func TestExporter_triesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		lost     int
	}{
		"overloaded once": {[]int{503}, 0},
		"refused":         {[]int{400}, 1},
	} {
		r := otlp.Start(t, c.statuses...)
		tracer, end := newTracer(t, r)
		tracer.Record(&Request{Context: tracer.Begin(nil), Method: []byte("GET")})
		if lost := end(); lost != c.lost {
			t.Errorf("%s: %d spans were lost, want %d", name, lost, c.lost)
		}
	}
}

func TestParse_strict(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	c, found := parse([]byte(good))
	if !found || !c.IsSampled || string(c.AppendTraceparent(nil, c.Parent)) != good {
		t.Errorf("%+v, found %v", c, found)
	}
	if c, _ := parse([]byte(good[:54] + "2")); c.IsSampled {
		t.Error("another flag counts as sampled")
	}
	for _, bad := range []string{
		"", good + "-", good[:54], "01" + good[2:], "ff" + good[2:], "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033 1-01",
	} {
		if _, found := parse([]byte(bad)); found {
			t.Errorf("%q is valid", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
	f.Fuzz(func(t *testing.T, value []byte) {
		c, found := parse(value)
		if !found {
			return
		}
		if got := c.AppendTraceparent(nil, c.Parent); string(got[:53]) != string(value[:53]) {
			t.Errorf("%q is %q", value, got)
		}
	})
}

func TestBegin_samplesByRatio(t *testing.T) {
	for ratio, want := range map[float64][2]int{0: {0, 0}, 0.5: {4500, 5500}, 1: {10_000, 10_000}} {
		tracer := &Tracer{sampleAll: ratio >= 1, threshold: thresholdOf(ratio)}
		sampled := 0
		for range 10_000 {
			c := tracer.Begin(nil)
			if c.Trace == (TraceID{}) || c.Span == (SpanID{}) || c.Parent != (SpanID{}) {
				t.Fatalf("%+v", c)
			}
			if c.IsSampled {
				sampled++
			}
		}
		if sampled < want[0] || sampled > want[1] {
			t.Errorf("ratio %v: %d of 10,000 are sampled", ratio, sampled)
		}
	}
}

// A request that is not sampled must not allocate.
func TestBegin_allocations(t *testing.T) {
	tracer := &Tracer{}
	buffer := make([]byte, 0, 100)
	if got := testing.AllocsPerRun(100, func() {
		c := tracer.Begin([]byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"))
		buffer = c.AppendTraceparent(buffer[:0], NewSpanID())
	}); got > 0 {
		t.Errorf("%v allocations", got)
	}
}
