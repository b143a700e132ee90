package observe

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/limpet-dev/limpet/pkg/model"
)

func (m *Metrics) defineMistakes() {
	m.mistakes = gauges("likely_mistakes",
		"Always 1: responses have shown that the object is likely a mistake. The log has the details.", "object", "mistake")
	m.registry.MustRegister(m.mistakes)
}

// LikelyMistake records that responses have shown an object to be a likely mistake.
func (m *Metrics) LikelyMistake(object model.Ref, mistake string) {
	m.mistakes.WithLabelValues(m.groups.detail.object(object.Namespace, object.String()), mistake).Set(1)
}

// WatchSessions registers the gauges of the store of learned sessions. The functions are called on each scrape.
func (m *Metrics) WatchSessions(sessions, capacity func() int) {
	m.registry.MustRegister(
		gaugeFunc("session_store_sessions", "Learned sessions in the memory of this replica.", sessions),
		gaugeFunc("session_store_capacity", "The maximum number of learned sessions in memory (--session-store-entries).",
			capacity),
	)
}

func gaugeFunc(name, help string, value func() int) prometheus.GaugeFunc {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "limpet", Name: name, Help: help},
		func() float64 { return float64(value()) })
}
