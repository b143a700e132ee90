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
	poolEndpointsDesc = prometheus.NewDesc("limpet_pool_endpoints",
		"Endpoints of the pool, by state. A pool that can serve no request has 0 that are Ready or Draining.",
		[]string{"pool", "state"}, nil)
)

// endpointCollector exports live endpoint state on every scrape.
type endpointCollector struct{ pools *upstream.Registry }

// Describe implements prometheus.Collector.
func (c *endpointCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- sessionsDesc
	ch <- inFlightDesc
	ch <- poolEndpointsDesc
}

// Collect implements prometheus.Collector.
func (c *endpointCollector) Collect(ch chan<- prometheus.Metric) {
	for _, p := range c.pools.Pools() {
		collectPool(ch, p)
		for _, e := range p.Set().Endpoints() {
			labels := []string{p.Name, e.Address, string(e.State)}
			ch <- prometheus.MustNewConstMetric(sessionsDesc, prometheus.GaugeValue, float64(e.Sessions()), labels...)
			ch <- prometheus.MustNewConstMetric(inFlightDesc, prometheus.GaugeValue, float64(e.InFlight()), labels...)
		}
	}
}

// collectPool exports the number of endpoints in each state, including 0, so that an empty pool has series to alert on.
func collectPool(ch chan<- prometheus.Metric, p *upstream.Pool) {
	for state, n := range p.Set().CountByState() {
		ch <- prometheus.MustNewConstMetric(poolEndpointsDesc, prometheus.GaugeValue, float64(n), p.Name, string(state))
	}
}
