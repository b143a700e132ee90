package observe

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Metrics is every metric of the process. Counting takes no lock and looks nothing up by name: what belongs to a pool
// is found by the pool's slot (upstream.Pool.Slot).
type Metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	decisions   *prometheus.CounterVec
	retries     *prometheus.CounterVec
	propagation *prometheus.HistogramVec
	problems    prometheus.Gauge
	generation  prometheus.Gauge
	expiry      *prometheus.GaugeVec
	store       *prometheus.CounterVec
	refused     [refusals]prometheus.Counter
	memory      memoryMetrics

	// Connections counts client connections that are open.
	Connections prometheus.Gauge
	// Streams counts streams that are open, by their kind.
	Streams [StreamKinds]prometheus.Gauge
	// Malformed counts requests that were refused because they break HTTP.
	Malformed prometheus.Counter
	// Closed counts requests that were denied because their route is closed.
	Closed prometheus.Counter
	// NoRoute counts what is answered without a pool: 404, and 503 for a route whose Service is missing.
	NoRoute *PoolMetrics

	mu    sync.Mutex // held while slots are replaced
	slots atomic.Pointer[[]*PoolMetrics]
}

// PoolMetrics are the metrics of one pool. Safe for concurrent use.
type PoolMetrics struct {
	id        model.PoolID
	byClass   [6]prometheus.Counter // by the first digit of the status; 0 for those that HTTP does not have
	duration  prometheus.Observer
	decisions [affinity.Outcomes][affinity.Reasons]prometheus.Counter
	retries   prometheus.Counter
}

// NewMetrics registers every metric in a registry of its own.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.define()
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.duration, m.decisions, m.retries, m.propagation, m.problems, m.generation, m.expiry, m.store,
		m.Connections, m.Malformed, m.Closed,
	)
	m.defineRefused()
	m.defineMemory()
	m.defineStreams()
	m.NoRoute = m.newPool("")
	m.slots.Store(&[]*PoolMetrics{})
	return m
}

func (m *Metrics) define() {
	m.requests = counter("requests_total", "Requests answered, by pool and class of status.", "pool", "code")
	m.duration = histogram("request_duration_seconds", "From the request's head to the end of its answer.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}, "pool")
	m.decisions = counter("affinity_decisions_total",
		"Sticky decisions: new, hit, moved (with its reason), invalid, refused, none.", "pool", "outcome", "reason")
	m.retries = counter("retries_total", "Attempts beyond the first one of a request.", "pool")
	m.propagation = histogram("propagation_seconds", "From the event being seen to its effect on traffic.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "path")
	m.problems = gauge("problems", "Problems found in the objects that are being served.")
	m.generation = gauge("table_generation", "Tables published by this process.")
	m.expiry = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "limpet", Name: "certificate_expiry_timestamp_seconds",
		Help: "When a certificate in use expires, in seconds since 1970, by its Secret.",
	}, []string{"secret"})
	m.store = counter("session_store_events_total",
		"What happened in the store of learned sessions: see --session-store.", "event")
	m.Connections = gauge("client_connections", "Client connections that are open.")
	m.Malformed = counter("malformed_requests_total", "Requests refused because they break HTTP.").WithLabelValues()
	m.Closed = counter("closed_requests_total",
		"Requests denied because their route is closed: its protection is not enforced.").WithLabelValues()
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "limpet", Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "limpet", Name: name, Help: help})
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(
		prometheus.HistogramOpts{Namespace: "limpet", Name: name, Help: help, Buckets: buckets}, labels)
}

// Register adds a collector that reads live state when it is scraped.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

// Gatherer is the registry that holds every metric, for whoever serves or reads them.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, // one bad series must not hide the others
	})
}

// Pool returns the metrics of the pool in that slot. Attach has been called for it.
func (m *Metrics) Pool(slot int) *PoolMetrics { return (*m.slots.Load())[slot] }

// Attach makes slot belong to the pool. The publisher calls it before the pool takes traffic.
func (m *Metrics) Attach(slot int, id model.PoolID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	current := *m.slots.Load()
	if slot < len(current) && current[slot] != nil && current[slot].id == id {
		return
	}
	next := make([]*PoolMetrics, max(slot+1, len(current)))
	copy(next, current)
	next[slot] = m.newPool(id.String())
	next[slot].id = id
	m.slots.Store(&next)
}

// Detach forgets the series of a pool that is gone. Requests that are on their way are counted where nobody looks.
func (m *Metrics) Detach(id model.PoolID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := slices.Clone(*m.slots.Load())
	for slot, p := range next {
		if p != nil && p.id == id {
			next[slot] = p.ofNobody()
		}
	}
	m.slots.Store(&next)
	label := prometheus.Labels{"pool": id.String()}
	m.requests.DeletePartialMatch(label)
	m.duration.DeletePartialMatch(label)
	m.decisions.DeletePartialMatch(label)
	m.retries.DeletePartialMatch(label)
}

func (m *Metrics) newPool(name string) *PoolMetrics {
	p := &PoolMetrics{duration: m.duration.WithLabelValues(name), retries: m.retries.WithLabelValues(name)}
	for class := range p.byClass {
		p.byClass[class] = m.requests.WithLabelValues(name, string('0'+rune(class))+"xx")
	}
	for o := range p.decisions {
		for r := range p.decisions[o] {
			outcome, reason := affinity.Outcome(o), affinity.Reason(r)
			if possible(outcome, reason) {
				p.decisions[o][r] = m.decisions.WithLabelValues(name, outcome.String(), reason.String())
			}
		}
	}
	return p
}

// ofNobody are the same counters for no pool, so that Attach makes new ones.
func (p *PoolMetrics) ofNobody() *PoolMetrics {
	copied := *p
	copied.id = model.PoolID{}
	return &copied
}

// possible reports whether the pair ever occurs: only what was moved or refused has a reason.
func possible(o affinity.Outcome, r affinity.Reason) bool {
	hasReason := o == affinity.OutcomeMoved || o == affinity.OutcomeRefused
	return hasReason == (r != affinity.ReasonNone)
}

// Request counts an answered request. A pod may send any status.
func (p *PoolMetrics) Request(status int, took time.Duration) {
	class := status / 100
	if class >= len(p.byClass) {
		class = 0
	}
	p.byClass[class].Inc()
	p.duration.Observe(took.Seconds())
}

// Decision counts a sticky decision.
func (p *PoolMetrics) Decision(o affinity.Outcome, r affinity.Reason) {
	if c := p.decisions[o][r]; c != nil {
		c.Inc()
	}
}

// Retry counts an attempt beyond the first one.
func (p *PoolMetrics) Retry() { p.retries.Inc() }

// Propagated observes how long a change took to have its effect: "endpoints" by the fast path, "table" by a new Table.
func (m *Metrics) Propagated(path string, took time.Duration) {
	m.propagation.WithLabelValues(path).Observe(took.Seconds())
}

// Published notes the generation of the Table in use and the number of problems that its objects have.
func (m *Metrics) Published(generation uint64, problems int) {
	m.generation.Set(float64(generation))
	m.problems.Set(float64(problems))
}

// SessionStore counts an event in the store of learned sessions.
func (m *Metrics) SessionStore(event string) { m.store.WithLabelValues(event).Inc() }

// Certificates notes when each of the certificates in use expires.
func (m *Metrics) Certificates(inUse []model.Certificate) {
	m.expiry.Reset()
	for i := range inUse {
		c := &inUse[i]
		m.expiry.WithLabelValues(c.Secret.Namespace + "/" + c.Secret.Name).Set(float64(c.Pair.Leaf.NotAfter.Unix()))
	}
}
