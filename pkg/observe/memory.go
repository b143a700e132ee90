package observe

import "github.com/prometheus/client_golang/prometheus"

// memoryMetrics show how much memory clients make the process hold.
type memoryMetrics struct {
	limit, used prometheus.Gauge
	refused     prometheus.Counter
	counted     uint64 // in refused
}

func (m *Metrics) defineMemory() {
	m.memory = memoryMetrics{
		limit: gauge("memory_budget_bytes", "Memory that clients may make Limpet hold. Zero means no limit."),
		used:  gauge("memory_used_bytes", "Memory that clients make Limpet hold, as counted for the budget."),
		refused: counter("memory_refused_total",
			"Requests refused, and bodies not kept, because the memory budget was used up.").WithLabelValues(),
	}
	m.registry.MustRegister(m.memory.limit, m.memory.used, m.memory.refused)
}

// Memory sets what the budget of memory says. It is called by one goroutine.
func (m *Metrics) Memory(limit, used int64, refused uint64) {
	m.memory.limit.Set(float64(limit))
	m.memory.used.Set(float64(used))
	m.memory.refused.Add(float64(refused - m.memory.counted))
	m.memory.counted = refused
}
