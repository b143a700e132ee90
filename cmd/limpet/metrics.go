package main

import "github.com/limpet-dev/limpet/pkg/observe"

// metricsOptions are the flags about metrics.
type metricsOptions struct {
	detail    choice
	maxSeries int
}

// minSeries is the lowest limit: it has space for the series that are always exported. The default keeps a scrape with all
// other metrics under 100,000 series.
const (
	minSeries     = 1000
	defaultSeries = 95000
)

func (m *metricsOptions) register(f flagSet) {
	m.detail = choice{observe.DefaultDetail.String(), observe.DetailNames()}
	f.Var(&m.detail, "metrics-detail", "The `detail` of metrics about traffic: controller, namespace, pool or endpoint. With pool,"+
		" the maximum, minimum and mean over the endpoints of each pool are exported.")
	f.IntVar(&m.maxSeries, "metrics-max-series", defaultSeries, "The maximum `number` of series about traffic and certificates."+
		" Traffic over the limit is counted together, as the pool or namespace _other. 0 sets no limit.")
}

// validate fails if the limit is too low.
func (m *metricsOptions) validate() error {
	if m.maxSeries != 0 && m.maxSeries < minSeries {
		return usagef("--metrics-max-series is %d, but must be 0 or at least %d", m.maxSeries, minSeries)
	}
	return nil
}

// metricsOptions returns what is exported.
func (o *options) metricsOptions() observe.MetricsOptions {
	m := &o.metrics
	return observe.MetricsOptions{
		Detail: observe.DetailOf(m.detail.value), MaxSeries: m.maxSeries, Traced: o.tracing.endpoint.url != nil,
	}
}
