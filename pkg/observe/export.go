package observe

import "github.com/prometheus/client_golang/prometheus"

// export sends the series of all groups that are not hidden.
func (c *trafficCollector) export(ch chan<- prometheus.Metric, all []*group, overLimit int64) {
	total, examples := &durations{native: c.groups.newNative()}, new(exemplars)
	total.add(&c.groups.retired.duration)
	for _, of := range all {
		if counts := c.exported(of); counts != nil {
			total.add(&counts.duration)
			examples.merge(counts.exemplars.Load())
			c.exportGroup(ch, of.name, counts)
			c.exportSpread(ch, of)
		}
	}
	total.add(&c.groups.other.duration)
	if c.groups.other.activity() > 0 {
		c.exportGroup(ch, otherGroup, &c.groups.other)
	}
	if !c.groups.detail.hasOwnDuration() {
		ch <- examples.with(histogramOf(c.descs.duration, total))
	}
	if c.groups.detail == DetailEndpoint {
		c.exportEndpoints(ch)
	}
	ch <- prometheus.MustNewConstMetric(c.descs.overLimit, prometheus.GaugeValue, float64(overLimit))
}

// labelValues returns the values of the label of a group, after those of a metric.
func (c *trafficCollector) labelValues(name string, more ...string) []string {
	if c.groups.detail == DetailController {
		return more
	}
	return append(more, name)
}

func (c *trafficCollector) exportGroup(ch chan<- prometheus.Metric, name string, counts *PoolMetrics) {
	counts.visitCounters(c.exportsZeros(name), func(kind counterKind, value uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(c.descs.counters[kind], prometheus.CounterValue, float64(value),
			c.labelValues(name, labels...)...)
	})
	if c.groups.detail.hasOwnDuration() {
		ch <- counts.exemplars.Load().with(histogramOf(c.descs.duration, &counts.duration, c.labelValues(name)...))
	}
}

func histogramOf(desc *prometheus.Desc, d *durations, labels ...string) prometheus.Metric {
	bounds, count, sum := d.upperBounds()
	classic := prometheus.MustNewConstHistogram(desc, count, sum, bounds, labels...)
	if d.native == nil {
		return classic
	}
	return d.native.beside(classic, sum)
}

func (c *trafficCollector) exportSpread(ch chan<- prometheus.Metric, of *group) {
	if of.spread.endpoints == 0 {
		return
	}
	for i, value := range of.spread.values() {
		ch <- prometheus.MustNewConstMetric(c.descs.spread[i], prometheus.GaugeValue, value, c.labelValues(of.name)...)
	}
}

// exportEndpoints sends the series of each endpoint, including those of pools without traffic.
func (c *trafficCollector) exportEndpoints(ch chan<- prometheus.Metric) {
	c.visit(func(slot int, name string, endpoints []EndpointLoad) {
		if of := c.groups.of(slot); of != nil && of.hidden {
			return
		}
		for i := range endpoints {
			e := &endpoints[i]
			labels := []string{name, e.Address, string(e.State)}
			ch <- prometheus.MustNewConstMetric(c.descs.sessions, prometheus.GaugeValue, float64(e.Sessions), labels...)
			ch <- prometheus.MustNewConstMetric(c.descs.inFlight, prometheus.GaugeValue, float64(e.InFlight), labels...)
		}
	})
}
