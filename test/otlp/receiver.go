// Package otlp receives traces in tests, with OTLP over HTTP.
package otlp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Receiver is an OTLP receiver. It is safe for concurrent use.
type Receiver struct {
	// URL is the endpoint.
	URL string

	mu       sync.Mutex
	statuses []int
	spans    []*tracepb.Span
	resource map[string]string
}

// Start starts a receiver until the test ends. It responds with the statuses, one after the other, and then with 200.
func Start(tb testing.TB, statuses ...int) *Receiver {
	tb.Helper()
	r := &Receiver{statuses: statuses, resource: map[string]string{}}
	server := httptest.NewServer(r)
	tb.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.statuses) > 0 {
		w.WriteHeader(r.statuses[0])
		r.statuses = r.statuses[1:]
		return
	}
	body, err := io.ReadAll(q.Body)
	var data tracepb.TracesData
	if err != nil || q.Method != http.MethodPost || q.URL.Path != "/v1/traces" ||
		q.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &data) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, resource := range data.GetResourceSpans() {
		for _, a := range resource.GetResource().GetAttributes() {
			r.resource[a.GetKey()] = a.GetValue().GetStringValue()
		}
		for _, scope := range resource.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
}

// Spans returns the spans received so far, in order.
func (r *Receiver) Spans() []*tracepb.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*tracepb.Span(nil), r.spans...)
}

// Resource returns the attributes of the resource.
func (r *Receiver) Resource() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.resource
}

// Attributes returns the attributes of a span: strings and int64s.
func Attributes(s *tracepb.Span) map[string]any {
	all := map[string]any{}
	for _, a := range s.GetAttributes() {
		if text := a.GetValue().GetStringValue(); text != "" {
			all[a.GetKey()] = text
			continue
		}
		all[a.GetKey()] = a.GetValue().GetIntValue()
	}
	return all
}
