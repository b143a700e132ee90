package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/limpet-dev/limpet/pkg/upstream"
)

var (
	endpointLabels = []string{"pool", "endpoint", "state"}
	sessionsDesc   = prometheus.NewDesc("limpet_endpoint_sessions",
		"Estimated number of recently active sessions of the endpoint.", endpointLabels, nil)
	inFlightDesc = prometheus.NewDesc("limpet_endpoint_inflight",
		"Requests and streams in flight to the endpoint.", endpointLabels, nil)
)

// endpointCollector exports live endpoint state on every scrape.
type endpointCollector struct{ pools *upstream.Registry }

// Describe implements prometheus.Collector.
func (c *endpointCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- sessionsDesc
	ch <- inFlightDesc
}

// Collect implements prometheus.Collector.
func (c *endpointCollector) Collect(ch chan<- prometheus.Metric) {
	for _, p := range c.pools.Pools() {
		for _, e := range p.Set().Endpoints() {
			labels := []string{p.Name, e.Address, string(e.State)}
			ch <- prometheus.MustNewConstMetric(sessionsDesc, prometheus.GaugeValue, float64(e.Sessions()), labels...)
			ch <- prometheus.MustNewConstMetric(inFlightDesc, prometheus.GaugeValue, float64(e.InFlight()), labels...)
		}
	}
}
