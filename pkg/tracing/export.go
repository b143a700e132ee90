package tracing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// exporter sends spans with OTLP over HTTP. It implements otlptrace.Client. The clients of OpenTelemetry also contain gRPC, which
// would make the binary larger.
type exporter struct {
	url    string
	client *http.Client
	report func(spans int, err error)
}

const (
	exportTimeout = 10 * time.Second
	// exportAttempts limits how often a batch is sent if the receiver is overloaded or away.
	exportAttempts = 3
	exportPause    = time.Second
)

func newExporter(o *Options) *exporter {
	return &exporter{
		url: strings.TrimSuffix(o.Endpoint.String(), "/") + "/v1/traces", report: o.Exported,
		client: &http.Client{Timeout: exportTimeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
}

// Start implements otlptrace.Client.
func (*exporter) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (e *exporter) Stop(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client.
func (e *exporter) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	count := 0
	for _, r := range spans {
		for _, s := range r.GetScopeSpans() {
			count += len(s.GetSpans())
		}
	}
	// TracesData has the same encoding as ExportTraceServiceRequest, whose package also contains gRPC.
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err == nil {
		err = e.sendRepeatedly(ctx, body)
	}
	e.report(count, err)
	return nil // it was reported
}

// errOverloaded is the error of a response after which OTLP allows another attempt.
var errOverloaded = errors.New("tracing: the receiver is overloaded")

func (e *exporter) sendRepeatedly(ctx context.Context, body []byte) (err error) {
	for attempt := range exportAttempts {
		var retriable bool
		if retriable, err = e.send(ctx, body); err == nil || !retriable || attempt == exportAttempts-1 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(exportPause << attempt):
		}
	}
	return err
}

// send sends a batch once. retriable reports whether another attempt may succeed.
func (e *exporter) send(ctx context.Context, body []byte) (retriable bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/x-protobuf")
	response, err := e.client.Do(request)
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection is used again
	switch response.StatusCode {
	case http.StatusOK:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, fmt.Errorf("%w: status %d", errOverloaded, response.StatusCode)
	}
	return false, fmt.Errorf("tracing: the receiver responded with status %d", response.StatusCode)
}
