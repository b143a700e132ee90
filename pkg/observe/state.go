package observe

import "github.com/prometheus/client_golang/prometheus"

// stateMetrics show what the process runs and serves, so that replicas can be compared.
type stateMetrics struct {
	build              *prometheus.GaugeVec
	generation, digest prometheus.Gauge
	problems           *prometheus.GaugeVec
	storeUp, missing   prometheus.Gauge
}

func (m *Metrics) defineState() {
	m.state = stateMetrics{
		build: gauges("build_info",
			"Always 1: the version of Limpet, and the version of Go that built it.", "version", "goversion"),
		generation: gauge("table_generation", "Tables published by this process."),
		digest: gauge("table_digest",
			"A number that depends on all hosts and routes of the current table. Replicas that serve the same have the same."),
		problems: gauges("problems", "Problems in the objects being served, by reason.", "reason"),
		storeUp: gauge("session_store_up",
			"1 if the store of learned sessions (--session-store) is available, 0 if sessions are in memory only until it is."),
		missing: gauge("crd_missing_fields",
			"Fields of AffinityPolicy that the installed CustomResourceDefinition does not have. The API server drops them."),
	}
	m.registry.MustRegister(m.state.build, m.state.generation, m.state.digest, m.state.problems, m.state.storeUp, m.state.missing)
}

// BuildInfo records the versions of Limpet and of Go.
func (m *Metrics) BuildInfo(version, goVersion string) {
	m.state.build.WithLabelValues(version, goVersion).Set(1)
}

// Published records the generation and the digest of the current Table, and the number of problems in its objects by reason.
// The digest must be less than 2^53.
func (m *Metrics) Published(generation, digest uint64, problems map[string]int) {
	m.state.generation.Set(float64(generation))
	m.state.digest.Set(float64(digest))
	for reason, n := range problems {
		m.state.problems.WithLabelValues(reason).Set(float64(n))
	}
}

// MissingFields records how many fields the installed CustomResourceDefinition does not have.
func (m *Metrics) MissingFields(n int) { m.state.missing.Set(float64(n)) }

// SessionStore counts an event of the store of learned sessions.
func (m *Metrics) SessionStore(event string) { m.store.WithLabelValues(event).Inc() }

// SessionStoreUp records whether the store of learned sessions is available.
func (m *Metrics) SessionStoreUp(up bool) {
	if up {
		m.state.storeUp.Set(1)
		return
	}
	m.state.storeUp.Set(0)
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "limpet", Name: name, Help: help}, labels)
}
