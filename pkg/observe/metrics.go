package observe

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Metrics contains all metrics of the process. It is safe for concurrent use.
//
// Counting takes no lock and looks up no labels: the metrics of a pool are found by its slot (upstream.Pool.Slot).
type Metrics struct {
	registry *prometheus.Registry
	isTraced bool

	propagation *prometheus.HistogramVec
	annotations *prometheus.GaugeVec
	expiry      *prometheus.GaugeVec
	store       *prometheus.CounterVec
	mistakes    *prometheus.GaugeVec
	refused     [refusals]prometheus.Counter
	memory      memoryMetrics
	state       stateMetrics
	subrequests *prometheus.CounterVec
	spans       *prometheus.CounterVec

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

	groups  *groups
	traffic *trafficCollector

	certificates sync.Mutex          // guards expires
	expires      map[model.Ref]int64 // of the certificates in use, in Unix seconds
}

// MetricsOptions selects what is exported.
type MetricsOptions struct {
	Detail Detail
	// MaxSeries is the maximum number of series about pools and certificates. Traffic over the limit is counted together. Zero
	// means no limit.
	MaxSeries int
	// Traced is set if requests are traced. Then durations have native histograms beside the classic ones, and the metrics are also
	// served in the OpenMetrics format, because the text format has no exemplars.
	Traced bool
}

// NewMetrics returns metrics with all details that are registered in a new registry.
func NewMetrics() *Metrics {
	return NewMetricsWith(MetricsOptions{Detail: DetailEndpoint, Traced: true})
}

// NewMetricsWith returns metrics that are registered in a new registry.
func NewMetricsWith(o MetricsOptions) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), isTraced: o.Traced, expires: map[model.Ref]int64{}}
	m.traffic = newTrafficCollector(o)
	m.groups = m.traffic.groups
	m.define()
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.traffic, m.Panics, m.propagation, m.annotations, m.expiry, m.store, m.Connections,
		m.Malformed, m.Closed, m.StrippedUpgrades,
	)
	m.defineState()
	m.defineMistakes()
	m.defineRefused()
	m.defineMemory()
	m.defineStreams()
	m.defineSubrequests()
	m.defineSpans()
	m.NoRoute = m.groups.noRoute.counts.Load()
	return m
}

func (m *Metrics) define() {
	m.propagation = histogram("propagation_seconds", "Time from receiving a change to its effect on traffic.",
		[]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}, "path")
	m.annotations = gauges("nginx_annotations", "Annotations of ingress-nginx on the Ingresses being served, by verdict.", "verdict")
	m.expiry = gauges("certificate_expiry_timestamp_seconds",
		"Expiry time of each certificate in use, as a Unix timestamp, by Secret.", "secret")
	m.store = counter("session_store_events_total",
		"Events in the store of learned sessions (--session-store).", "event")
	m.Connections = gauge("client_connections", "Open client connections.")
	m.Malformed = counter("malformed_requests_total", "Requests rejected because they violate HTTP.").WithLabelValues()
	m.StrippedUpgrades = counter("stripped_upgrades_total",
		"Requests forwarded without the Upgrade that the client requested, because its route does not allow it.").WithLabelValues()
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
		ErrorHandling:     promhttp.ContinueOnError, // an invalid series must not hide the others
		EnableOpenMetrics: m.isTraced,
	})
}

// Pool returns the metrics of the pool in slot. Attach must have been called for the slot.
func (m *Metrics) Pool(slot int) *PoolMetrics { return m.groups.countsOf(slot) }

// Detail returns the detail of what is exported.
func (m *Metrics) Detail() Detail { return m.groups.detail }

// Attach assigns slot to a pool. The publisher must call it before the pool receives traffic. If the pool already
// has the slot, its counters are kept.
func (m *Metrics) Attach(slot int, id model.PoolID) { m.groups.attach(slot, id) }

// Detach deletes the series of a pool. Requests in flight keep counting, but these counts are no longer exported.
func (m *Metrics) Detach(id model.PoolID) { m.groups.detach(id) }

// WatchEndpoints sets the function that visits the endpoints of all pools on each scrape.
func (m *Metrics) WatchEndpoints(visitPools VisitPools) { m.traffic.watch(visitPools) }

// Propagated observes how long a change took to affect traffic. The path is "endpoints" for the fast path, or
// "table" for a new Table.
func (m *Metrics) Propagated(path string, took time.Duration) {
	m.propagation.WithLabelValues(path).Observe(took.Seconds())
}

// NginxAnnotations records the number of annotations of ingress-nginx by verdict.
func (m *Metrics) NginxAnnotations(byVerdict map[string]int) {
	for verdict, n := range byVerdict {
		m.annotations.WithLabelValues(verdict).Set(float64(n))
	}
}

// UpdateCertificates records the expiry times of certificates by Secret. Nil removes the Secret. Without the details of objects,
// only the certificate that expires first is exported, of each namespace or of all.
func (m *Metrics) UpdateCertificates(changed map[model.Ref]*model.Certificate) {
	m.certificates.Lock()
	defer m.certificates.Unlock()
	for secret, c := range changed {
		if c == nil {
			delete(m.expires, secret)
			m.expiry.DeleteLabelValues(secret.Namespace + "/" + secret.Name)
			continue
		}
		m.expires[secret] = c.Pair.Leaf.NotAfter.Unix()
	}
	if m.groups.detail >= DetailPool {
		for secret, c := range changed {
			if c != nil {
				m.expiry.WithLabelValues(secret.Namespace + "/" + secret.Name).Set(float64(m.expires[secret]))
			}
		}
		m.traffic.certificates.Store(int64(len(m.expires)))
	} else if len(changed) > 0 {
		m.exportFirst()
	}
}

// exportFirst exports the certificate that expires first, of each namespace or of all. m.certificates must be held.
func (m *Metrics) exportFirst() {
	first := map[string]model.Ref{}
	for secret, at := range m.expires {
		key := m.groups.detail.object(secret.Namespace, "")
		if found, ok := first[key]; !ok || at < m.expires[found] {
			first[key] = secret
		}
	}
	m.expiry.Reset()
	for _, secret := range first {
		m.expiry.WithLabelValues(secret.Namespace + "/" + secret.Name).Set(float64(m.expires[secret]))
	}
	m.traffic.certificates.Store(int64(len(first)))
}
