package observe

// defineSubrequests defines the counter of requests that Limpet sends itself.
func (m *Metrics) defineSubrequests() {
	m.subrequests = counter("subrequests_total", "Requests that Limpet sent itself, by purpose and result.", "purpose", "result")
	m.registry.MustRegister(m.subrequests)
}

// Subrequest counts a request that Limpet sent itself. purpose is auth, error-page or mirror, and result is ok, failed or
// dropped.
func (m *Metrics) Subrequest(purpose, result string) {
	m.subrequests.WithLabelValues(purpose, result).Inc()
}
