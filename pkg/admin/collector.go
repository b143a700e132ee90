package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/limpet-dev/limpet/pkg/upstream"
)

var (
	endpointLabels = []string{"pool", "endpoint", "state"}
	sessionsDesc   = prometheus.NewDesc("limpet_endpoint_sessions",
		"Sessions that the endpoint has served lately, estimated.", endpointLabels, nil)
	inFlightDesc = prometheus.NewDesc("limpet_endpoint_inflight",
		"Requests and streams that the endpoint is answering.", endpointLabels, nil)
)

// endpointCollector reads the live endpoints when metrics are scraped.
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
