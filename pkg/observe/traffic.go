package observe

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// idleGroup limits the time for which a group without traffic keeps its series.
const idleGroup = time.Hour

// otherGroup is the label of the traffic that has no series of its own. It is neither a pool nor a namespace.
const otherGroup = "_other"

// counterKind is a metric that each group has.
type counterKind int

// The kinds of counters.
const (
	kindRequests counterKind = iota
	kindDecisions
	kindRetries
	kindFailures

	counterKinds
)

// trafficCollector exports the traffic of all groups on each scrape. It releases the counters of idle groups, and keeps
// the number of series within its limit.
type trafficCollector struct {
	// Immutable:
	groups *groups
	limit  int64 // zero means no limit
	now    func() time.Time
	descs  trafficDescs
	none   PoolMetrics // of groups without traffic

	certificates atomic.Int64 // series about certificates

	mu    sync.Mutex // serializes scrapes
	visit VisitPools
}

type trafficDescs struct {
	counters           [counterKinds]*prometheus.Desc
	duration           *prometheus.Desc
	spread             [len(spreadNames)]*prometheus.Desc
	sessions, inFlight *prometheus.Desc
	overLimit          *prometheus.Desc
}

func newTrafficCollector(o MetricsOptions) *trafficCollector {
	c := &trafficCollector{limit: int64(o.MaxSeries), now: time.Now, visit: func(func(int, string, []EndpointLoad)) {}}
	c.groups = newGroups(o.Detail, o.Traced)
	c.none.duration.native = c.groups.newNative()
	c.groups.capacity.Store(c.capacityFor(c.seriesOf(c.groups.noRoute)))
	c.descs = describeTraffic(o.Detail)
	return c
}

func describeTraffic(detail Detail) (d trafficDescs) {
	label := detail.label()
	with := func(more ...string) []string { return append(more, label...) }
	d.counters = [...]*prometheus.Desc{
		kindRequests: desc("requests_total",
			"Completed requests, by pool and status class; 500 to 504 have their exact status.", with("code")),
		kindDecisions: desc("affinity_decisions_total",
			"Sticky decisions: new, hit, moved (with its reason), lent, invalid, refused, none.", with("outcome", "reason")),
		kindRetries: desc("retries_total", "Retries: attempts after the first one of a request.", label),
		kindFailures: desc("upstream_failures_total",
			"Failed attempts at pods, and requests without a usable endpoint, by pool and reason.", with("reason")),
	}
	durationLabel := label
	if !detail.hasOwnDuration() {
		durationLabel = nil
	}
	d.duration = desc("request_duration_seconds", "Time from the head of the request to the end of the response.", durationLabel)
	for i, s := range spreadNames {
		d.spread[i] = desc(s.name, s.help, label)
	}
	ofEndpoint := []string{"pool", "endpoint", "state"}
	d.sessions = desc("endpoint_sessions", "Estimated number of recently active sessions of the endpoint.", ofEndpoint)
	d.inFlight = desc("endpoint_inflight", "Requests and streams in flight to the endpoint.", ofEndpoint)
	d.overLimit = desc("metrics_over_limit",
		"Pools or namespaces without series of their own, because --metrics-max-series is reached. Zero means that it is not.", nil)
	return d
}

func desc(name, help string, labels []string) *prometheus.Desc {
	return prometheus.NewDesc("limpet_"+name, help, labels, nil)
}

// watch sets the function that visits the endpoints of all pools.
func (c *trafficCollector) watch(visit VisitPools) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.visit = visit
}

// Describe implements prometheus.Collector.
func (c *trafficCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs.counters {
		ch <- d
	}
	for _, d := range c.descs.spread {
		ch <- d
	}
	ch <- c.descs.duration
	ch <- c.descs.overLimit
	if c.groups.detail == DetailEndpoint {
		ch <- c.descs.sessions
		ch <- c.descs.inFlight
	}
}

// Collect implements prometheus.Collector.
func (c *trafficCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, now := c.groups.all(), c.now()
	for _, of := range all {
		of.spread, of.hidden = spread{}, false
	}
	endpoints := c.readEndpoints(now)
	for _, of := range all {
		c.expire(of, now)
	}
	overLimit := c.fit(all, endpoints)
	c.export(ch, all, overLimit)
}

// readEndpoints reads the load of all endpoints. Requests in flight are traffic too. If endpoints have series of their own, it
// returns their number by group.
func (c *trafficCollector) readEndpoints(now time.Time) map[*group]int64 {
	own := map[*group]int64{}
	c.visit(func(slot int, _ string, endpoints []EndpointLoad) {
		of := c.groups.of(slot)
		if of == nil {
			return
		}
		if of.spread.add(endpoints) {
			c.groups.countsOf(slot)
			of.seen = now
		}
		if c.groups.detail == DetailEndpoint {
			own[of] += int64(len(endpoints))
		}
	})
	return own
}

// expire releases the counters of a group that had no traffic for an hour. The detail endpoint keeps them.
func (c *trafficCollector) expire(of *group, now time.Time) {
	if of == c.groups.noRoute || c.groups.detail == DetailEndpoint || !c.groups.hasOwn(of) {
		return
	}
	if n := of.counts.Load().activity(); n != of.activity || of.seen.IsZero() {
		of.activity, of.seen = n, now
	}
	if now.Sub(of.seen) >= idleGroup {
		c.groups.retire(of, nil)
		of.activity, of.seen = 0, time.Time{}
	}
}

// fit hides groups until the others fit the limit, beginning with the last ones, and returns the number of groups without
// series of their own. It sets how many groups may get series before the next scrape.
func (c *trafficCollector) fit(all []*group, endpoints map[*group]int64) (overLimit int64) {
	total := c.certificates.Load()
	for _, of := range all {
		n := c.seriesOf(of) + 2*endpoints[of]
		if c.limit > 0 && total+n > c.limit && of != c.groups.noRoute {
			of.hidden = true
			c.groups.retire(of, &c.groups.other)
			continue
		}
		total += n
	}
	capacity := c.capacityFor(total)
	c.groups.capacity.Store(capacity)
	for _, of := range all {
		switch {
		case of.hidden:
			overLimit++
		case of.counts.Load() != &c.groups.other:
		case capacity > 0:
			capacity--
			of.counts.CompareAndSwap(&c.groups.other, nil) // the next traffic creates its own
		default:
			overLimit++
		}
	}
	return overLimit
}

// exported returns the counters that are exported for a group, nil if none are. With the detail endpoint, groups are
// exported from the start.
func (c *trafficCollector) exported(of *group) *PoolMetrics {
	counts := of.counts.Load()
	switch {
	case of.hidden || counts == &c.groups.other:
		return nil
	case counts == nil && c.groups.detail == DetailEndpoint:
		return &c.none
	}
	return counts
}

// exportsZeros reports whether the counters of a group are exported before they have counted something. Those of requests
// without a pool always are.
func (c *trafficCollector) exportsZeros(name string) bool {
	return name == "" || c.groups.detail.exportsZeros()
}

// seriesOf returns the number of series of a group, without those of its endpoints.
func (c *trafficCollector) seriesOf(of *group) int64 {
	counts := c.exported(of)
	if counts == nil {
		return 0
	}
	n := int64(0)
	counts.visitCounters(c.exportsZeros(of.name), func(counterKind, uint64, ...string) { n++ })
	if c.groups.detail.hasOwnDuration() {
		n += int64(len(durationBounds)) + 3 // +Inf, sum and count
	}
	if of.spread.endpoints > 0 {
		n += int64(len(spreadNames))
	}
	return n
}

// capacityFor estimates how many more groups fit. It leaves 5 % of the limit to those that have series: their number grows
// with each new status or outcome.
func (c *trafficCollector) capacityFor(total int64) int64 {
	if c.limit == 0 {
		return 1 << 40
	}
	const likely = 9 // series of a new pool
	return max((c.limit*95/100-total)/likely, 0)
}
