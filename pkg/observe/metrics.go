package observe

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Metrics contains all metrics of the process. It is safe for concurrent use.
//
// Counting takes no lock and looks up no labels: the metrics of a pool are found by its slot (upstream.Pool.Slot).
type Metrics struct {
	registry *prometheus.Registry

	requests    *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	decisions   *prometheus.CounterVec
	retries     *prometheus.CounterVec
	failures    *prometheus.CounterVec
	propagation *prometheus.HistogramVec
	problems    prometheus.Gauge
	generation  prometheus.Gauge
	expiry      *prometheus.GaugeVec
	store       *prometheus.CounterVec
	mistakes    *prometheus.GaugeVec
	refused     [refusals]prometheus.Counter
	memory      memoryMetrics

	// Connections is the number of open client connections.
	Connections prometheus.Gauge
	// Streams is the number of open streams, by kind.
	Streams [StreamKinds]prometheus.Gauge
	// Malformed counts requests that were rejected because they violate HTTP.
	Malformed prometheus.Counter
	// StrippedUpgrades counts requests that were forwarded without the Upgrade that the client requested.
	StrippedUpgrades prometheus.Counter
	// Panics counts panics that were contained in one request or connection.
	Panics prometheus.Counter
	// Closed counts requests that were denied because their route is closed.
	Closed prometheus.Counter
	// NoRoute has the metrics of requests without a pool: 404, and 503 if the Service of a route does not exist.
	NoRoute *PoolMetrics

	mu       sync.Mutex // serializes writers of slots; guards attached
	slots    atomic.Pointer[[]*slotChunk]
	attached map[model.PoolID]int // slot of each pool
}

// PoolMetrics contains the metrics of one pool. It is safe for concurrent use.
type PoolMetrics struct {
	id        model.PoolID
	byClass   [6]prometheus.Counter // by the first digit of the status; 0 for invalid ones
	duration  prometheus.Observer
	decisions [affinity.NumOutcomes][affinity.NumReasons]prometheus.Counter
	retries   prometheus.Counter
	exact     [len(exactStatuses)]prometheus.Counter // of exactStatuses
	failures  [failures]prometheus.Counter           // nil for reasons that are not counted by pool
}

// NewMetrics returns metrics that are registered in a new registry.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.define()
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.duration, m.decisions, m.retries, m.failures, m.Panics, m.propagation, m.problems, m.generation,
		m.expiry, m.store, m.Connections, m.Malformed, m.Closed, m.StrippedUpgrades,
	)
	m.defineMistakes()
	m.defineRefused()
	m.defineMemory()
	m.defineStreams()
	m.NoRoute = m.newPool("")
	m.slots.Store(&[]*slotChunk{})
	m.attached = map[model.PoolID]int{}
	return m
}

func (m *Metrics) define() {
	m.requests = counter("requests_total",
		"Completed requests, by pool and status class; 500 to 504 have their exact status.", "pool", "code")
	m.duration = histogram("request_duration_seconds", "Time from the head of the request to the end of the response.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}, "pool")
	m.decisions = counter("affinity_decisions_total",
		"Sticky decisions: new, hit, moved (with its reason), lent, invalid, refused, none.", "pool", "outcome", "reason")
	m.retries = counter("retries_total", "Retries: attempts after the first one of a request.", "pool")
	m.propagation = histogram("propagation_seconds", "Time from receiving a change to its effect on traffic.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "path")
	m.problems = gauge("problems", "Problems in the objects being served.")
	m.generation = gauge("table_generation", "Tables published by this process.")
	m.expiry = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: "limpet", Name: "certificate_expiry_timestamp_seconds",
		Help: "Expiry time of each certificate in use, as a Unix timestamp, by Secret.",
	}, []string{"secret"})
	m.store = counter("session_store_events_total",
		"Events in the store of learned sessions (--session-store).", "event")
	m.Connections = gauge("client_connections", "Open client connections.")
	m.Malformed = counter("malformed_requests_total", "Requests rejected because they violate HTTP.").WithLabelValues()
	m.StrippedUpgrades = counter("stripped_upgrades_total",
		"Requests forwarded without the Upgrade that the client requested, because its route does not allow it.").WithLabelValues()
	m.failures = counter("upstream_failures_total",
		"Failed attempts at pods, and requests without a usable endpoint, by pool and reason.", "pool", "reason")
	m.Panics = counter("panics_total", "Panics contained in one request or connection.").WithLabelValues()
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

// Register adds a collector that is read on every scrape. It panics if the collector is already registered.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

// Gatherer returns the registry that contains all metrics.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Handler returns a handler that serves the metrics to Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, // an invalid series must not hide the others
	})
}

// Pool returns the metrics of the pool in slot. Attach must have been called for the slot.
func (m *Metrics) Pool(slot int) *PoolMetrics {
	return (*m.slots.Load())[slot/chunkSize][slot%chunkSize].Load()
}

// Attach assigns slot to a pool. The publisher must call it before the pool receives traffic. If the pool already
// has the slot, its counters are kept.
func (m *Metrics) Attach(slot int, id model.PoolID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, known := m.attached[id]; known && at == slot {
		return
	}
	chunks := *m.slots.Load()
	if missing := slot/chunkSize + 1 - len(chunks); missing > 0 {
		chunks = slices.Clone(chunks)
		for range missing {
			chunks = append(chunks, new(slotChunk))
		}
		m.slots.Store(&chunks)
	}
	p := m.newPool(id.String())
	p.id = id
	chunks[slot/chunkSize][slot%chunkSize].Store(p)
	m.attached[id] = slot
}

// Detach deletes the series of a pool. Requests in flight keep counting, but these counts are no longer exported.
func (m *Metrics) Detach(id model.PoolID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slot, known := m.attached[id]; known {
		delete(m.attached, id)
		if at := &(*m.slots.Load())[slot/chunkSize][slot%chunkSize]; at.Load().id == id {
			at.Store(at.Load().detached())
		}
	}
	m.deletePool(id.String())
}

// chunkSize is the number of slots in one allocation.
const chunkSize = 256

// slotChunk has the counters of consecutive slots.
type slotChunk [chunkSize]atomic.Pointer[PoolMetrics]

// deletePool deletes the series that newPool creates. It names each one, because a partial match reads the series of all
// pools.
func (m *Metrics) deletePool(name string) {
	m.duration.DeleteLabelValues(name)
	m.retries.DeleteLabelValues(name)
	var p PoolMetrics
	for class := range p.byClass {
		m.requests.DeleteLabelValues(name, classLabel(class))
	}
	for _, status := range exactStatuses {
		m.requests.DeleteLabelValues(name, strconv.Itoa(status))
	}
	for reason := range failures {
		m.failures.DeleteLabelValues(name, reason.String())
	}
	for o := range p.decisions {
		for r := range p.decisions[o] {
			m.decisions.DeleteLabelValues(name, affinity.Outcome(o).String(), affinity.Reason(r).String())
		}
	}
}

// classLabel returns the label of a class of status codes, such as "2xx".
func classLabel(class int) string { return string('0'+rune(class)) + "xx" }

func (m *Metrics) newPool(name string) *PoolMetrics {
	p := &PoolMetrics{duration: m.duration.WithLabelValues(name), retries: m.retries.WithLabelValues(name)}
	p.failures = m.newFailures(name)
	for i, status := range exactStatuses {
		p.exact[i] = m.requests.WithLabelValues(name, strconv.Itoa(status))
	}
	for class := range p.byClass {
		p.byClass[class] = m.requests.WithLabelValues(name, classLabel(class))
	}
	for o := range p.decisions {
		for r := range p.decisions[o] {
			outcome, reason := affinity.Outcome(o), affinity.Reason(r)
			if isPossible(outcome, reason) {
				p.decisions[o][r] = m.decisions.WithLabelValues(name, outcome.String(), reason.String())
			}
		}
	}
	return p
}

// detached returns the same counters without a pool ID, so that a later Attach creates new ones.
func (p *PoolMetrics) detached() *PoolMetrics {
	copied := *p
	copied.id = model.PoolID{}
	return &copied
}

// isPossible reports whether the pair can occur: lent has the reason lent, moved and refused have one of the others, and
// other outcomes have none.
func isPossible(o affinity.Outcome, r affinity.Reason) bool {
	switch o {
	case affinity.OutcomeLent:
		return r == affinity.ReasonLent
	case affinity.OutcomeMoved, affinity.OutcomeRefused:
		return r != affinity.ReasonNone && r != affinity.ReasonLent
	}
	return r == affinity.ReasonNone
}

// Request counts a completed request. Any status is accepted, because pods may send invalid ones.
func (p *PoolMetrics) Request(status int, took time.Duration) {
	p.statusCounter(status).Inc()
	p.duration.Observe(took.Seconds())
}

// statusCounter returns the counter of the status, or that of its class.
func (p *PoolMetrics) statusCounter(status int) prometheus.Counter {
	if i := status - exactStatuses[0]; i >= 0 && i < len(p.exact) {
		return p.exact[i]
	}
	class := status / 100
	if class >= len(p.byClass) {
		class = 0
	}
	return p.byClass[class]
}

// Decision counts an affinity decision.
func (p *PoolMetrics) Decision(o affinity.Outcome, r affinity.Reason) {
	if c := p.decisions[o][r]; c != nil {
		c.Inc()
	}
}

// Retry counts an attempt after the first one.
func (p *PoolMetrics) Retry() { p.retries.Inc() }

// Propagated observes how long a change took to affect traffic. The path is "endpoints" for the fast path, or
// "table" for a new Table.
func (m *Metrics) Propagated(path string, took time.Duration) {
	m.propagation.WithLabelValues(path).Observe(took.Seconds())
}

// Published records the generation of the current Table and the number of problems in its objects.
func (m *Metrics) Published(generation uint64, problems int) {
	m.generation.Set(float64(generation))
	m.problems.Set(float64(problems))
}

// SessionStore counts an event of the store of learned sessions.
func (m *Metrics) SessionStore(event string) { m.store.WithLabelValues(event).Inc() }

// UpdateCertificates records the expiry times of certificates by Secret. Nil removes the Secret.
func (m *Metrics) UpdateCertificates(changed map[model.Ref]*model.Certificate) {
	for secret, c := range changed {
		label := secret.Namespace + "/" + secret.Name
		if c == nil {
			m.expiry.DeleteLabelValues(label)
			continue
		}
		m.expiry.WithLabelValues(label).Set(float64(c.Pair.Leaf.NotAfter.Unix()))
	}
}

// Certificates records the expiry times of the certificates in use. It replaces those of the previous call.
func (m *Metrics) Certificates(inUse []model.Certificate) {
	m.expiry.Reset()
	for i := range inUse {
		c := &inUse[i]
		m.expiry.WithLabelValues(c.Secret.Namespace + "/" + c.Secret.Name).Set(float64(c.Pair.Leaf.NotAfter.Unix()))
	}
}
