package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/limpet-dev/limpet/pkg/tracing"
)

// tracingOptions are the flags about traces.
type tracingOptions struct {
	endpoint receiverURL
	ratio    ratio
}

func (o *tracingOptions) register(f flagSet) {
	o.ratio = 0.01
	f.Var(&o.endpoint, "tracing-endpoint", "The `URL` of the receiver of traces, which speaks OTLP over HTTP, such as"+
		" http://collector:4318. If empty, tracing is disabled.")
	f.Var(&o.ratio, "tracing-sample-ratio", "The share of requests to trace, from 0 to 1. For requests of trusted proxies with a"+
		" trace context, the proxy decides instead.")
}

// closeTimeout limits how long the last spans are exported at the end.
const closeTimeout = 5 * time.Second

// startTracing starts the export of traces, if it is enabled.
func (n *node) startTracing() {
	o := &n.options.tracing
	if o.endpoint.url == nil {
		return
	}
	log := n.log.WithName("tracing")
	n.tracer = tracing.New(tracing.Options{
		Endpoint: o.endpoint.url, SampleRatio: float64(o.ratio), Version: buildVersion(),
		Instance: hostName(),
		Exported: func(spans int, err error) {
			n.metrics.SpansExported(spans, err == nil)
			if err != nil {
				log.Error(err, "Spans were lost", "spans", spans)
			}
		},
	})
}

// stopTracing exports the spans that are waiting.
func (n *node) stopTracing() {
	if n.tracer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := n.tracer.Close(ctx); err != nil {
		n.log.Error(err, "The last spans were lost")
	}
}

// receiverURL is the flag of a URL with the scheme http or https, without user, query and fragment.
type receiverURL struct{ url *url.URL }

func (r *receiverURL) String() string {
	if r.url == nil {
		return ""
	}
	return r.url.String()
}

// Type names the kind of value in the help text, as pflag wants.
func (*receiverURL) Type() string { return "URL" }

func (r *receiverURL) Set(s string) error {
	if s == "" {
		r.url = nil
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		u.RawQuery+u.Fragment != "" {
		return fmt.Errorf("must be a URL such as http://collector:4318")
	}
	r.url = u
	return nil
}

// ratio is the flag of a number from 0 to 1.
type ratio float64

func (r *ratio) String() string { return strconv.FormatFloat(float64(*r), 'g', -1, 64) }

// Type names the kind of value in the help text, as pflag wants.
func (*ratio) Type() string { return "ratio" }

func (r *ratio) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v <= 1) { // NaN is neither
		return fmt.Errorf("must be a number from 0 to 1")
	}
	*r = ratio(v)
	return nil
}
