package admin

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

var (
	emptyPoolsDesc = prometheus.NewDesc("limpet_pools_without_endpoints",
		"Pools that can serve no request, because no endpoint is Ready or Draining.", nil, nil)
	poolEndpointsDesc = prometheus.NewDesc("limpet_pool_endpoints",
		"Endpoints of the pool by state. Below --metrics-detail=endpoint only of pools without an endpoint that is Ready or Draining.",
		[]string{"pool", "state"}, nil)
)

// maxEmptyPools bounds the pools of limpet_pool_endpoints, unless the detail is endpoint.
const maxEmptyPools = 1000

// poolCollector exports the numbers of endpoints on every scrape. Endpoints change without a new table, so there is no
// other place that knows all of them.
type poolCollector struct {
	pools  *upstream.Registry
	detail observe.Detail
}

// Describe implements prometheus.Collector.
func (c *poolCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- emptyPoolsDesc
	ch <- poolEndpointsDesc
}

// Collect implements prometheus.Collector.
func (c *poolCollector) Collect(ch chan<- prometheus.Metric) {
	empty := 0
	for _, p := range c.pools.Pools() {
		counts := p.Set().CountByState()
		isEmpty := counts[model.EndpointReady]+counts[model.EndpointDraining] == 0
		if isEmpty {
			empty++
		}
		if c.detail < observe.DetailEndpoint && (!isEmpty || empty > maxEmptyPools || c.detail < observe.DetailPool) {
			continue
		}
		for state, n := range counts {
			ch <- prometheus.MustNewConstMetric(poolEndpointsDesc, prometheus.GaugeValue, float64(n), p.Name, string(state))
		}
	}
	ch <- prometheus.MustNewConstMetric(emptyPoolsDesc, prometheus.GaugeValue, float64(empty))
}
