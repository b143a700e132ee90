package admin

import (
	"time"

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
	lastRemovalDesc = prometheus.NewDesc("limpet_pool_last_removal_timestamp_seconds",
		"Time at which an endpoint last left the pool, as a Unix timestamp. Only of pools that one has left in the last 2 hours.",
		[]string{"pool"}, nil)
	ejectionsDesc = prometheus.NewDesc("limpet_ejections_total",
		"Times that this replica ejected a pod of the pool or failed to probe it, by what failed. Only of pools with an ejection.",
		[]string{"pool", "reason"}, nil)
	ejectedDesc = prometheus.NewDesc("limpet_ejected_endpoints",
		"Endpoints of all pools that this replica has ejected.", nil, nil)
	liveBytesDesc = prometheus.NewDesc("limpet_live_sessions_memory_bytes",
		"Memory in which the live sessions of all pods are counted. At 67108864 sessions are no longer counted.", nil, nil)
	liveRefusedDesc = prometheus.NewDesc("limpet_live_sessions_uncounted_total",
		"Responses whose session was not counted as live, because the memory for that was used up.", nil, nil)
)

// maxEmptyPools bounds the pools of limpet_pool_endpoints, unless the detail is endpoint. maxRemovals bounds those of
// limpet_pool_last_removal_timestamp_seconds.
const (
	maxEmptyPools = 1000
	maxRemovals   = 1000
)

// recentRemoval limits the time for which a removal is exported. Most sessions of the endpoint have moved by then.
const recentRemoval = 2 * time.Hour

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
	ch <- lastRemovalDesc
	ch <- ejectionsDesc
	ch <- ejectedDesc
	ch <- liveBytesDesc
	ch <- liveRefusedDesc
}

// Collect implements prometheus.Collector.
func (c *poolCollector) Collect(ch chan<- prometheus.Metric) {
	empty, ejected := 0, 0
	for _, p := range c.pools.Pools() {
		counts := p.Set().CountByState()
		ejected += counts[model.EndpointEjected]
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
	live := c.pools.LiveBudget()
	ch <- prometheus.MustNewConstMetric(liveBytesDesc, prometheus.GaugeValue, float64(live.Used()))
	ch <- prometheus.MustNewConstMetric(liveRefusedDesc, prometheus.CounterValue, float64(live.Refused()))
	ch <- prometheus.MustNewConstMetric(emptyPoolsDesc, prometheus.GaugeValue, float64(empty))
	ch <- prometheus.MustNewConstMetric(ejectedDesc, prometheus.GaugeValue, float64(ejected))
	if c.detail >= observe.DetailPool {
		c.collectRemovals(ch, time.Now())
		c.collectEjections(ch)
	}
}

// maxEjecting bounds the pools of limpet_ejections_total.
const maxEjecting = 1000

// collectEjections exports the ejections of pools.
func (c *poolCollector) collectEjections(ch chan<- prometheus.Metric) {
	left := maxEjecting
	for _, p := range c.pools.Pools() {
		if !p.HasEjected() {
			continue
		}
		if left--; left < 0 {
			return
		}
		p.VisitEjections(func(reason string, n uint64) {
			ch <- prometheus.MustNewConstMetric(ejectionsDesc, prometheus.CounterValue, float64(n), p.Name, reason)
		})
	}
}

// collectRemovals exports when endpoints left pools.
func (c *poolCollector) collectRemovals(ch chan<- prometheus.Metric, now time.Time) {
	left := maxRemovals
	for _, p := range c.pools.Pools() {
		at := p.LastRemoval()
		if at == 0 || now.Sub(time.Unix(at, 0)) > recentRemoval {
			continue
		}
		if left--; left < 0 {
			return
		}
		ch <- prometheus.MustNewConstMetric(lastRemovalDesc, prometheus.GaugeValue, float64(at), p.Name)
	}
}
