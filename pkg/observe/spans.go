package observe

// defineSpans defines the metrics of the export of traces.
func (m *Metrics) defineSpans() {
	m.spans = counter("trace_spans_total", "Spans of traces, by the result of their export: exported or lost.", "result")
	for _, result := range []string{spansExported, spansLost} {
		m.spans.WithLabelValues(result)
	}
	m.registry.MustRegister(m.spans)
}

const (
	spansExported = "exported"
	spansLost     = "lost"
)

// SpansExported counts spans after an attempt to export them.
func (m *Metrics) SpansExported(n int, ok bool) {
	result := spansLost
	if ok {
		result = spansExported
	}
	m.spans.WithLabelValues(result).Add(float64(n))
}
