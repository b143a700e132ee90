package observe

import (
	"encoding/hex"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// exemplars has the last traced request of each bucket of durations.
type exemplars [len(durationBounds) + 1]atomic.Pointer[exemplar]

type exemplar struct {
	took  time.Duration
	trace [16]byte
	at    time.Time
}

// Exemplar records a traced request as the example of its duration. The trace must have been sampled.
func (p *PoolMetrics) Exemplar(took time.Duration, trace [16]byte) {
	all := p.exemplars.Load()
	if all == nil { // most pools have none, because tracing is off
		p.exemplars.CompareAndSwap(nil, new(exemplars))
		all = p.exemplars.Load()
	}
	all[bucketOf(took)].Store(&exemplar{took, trace, time.Now()})
}

// with returns a histogram with the exemplars. A nil e has no exemplars.
func (e *exemplars) with(histogram prometheus.Metric) prometheus.Metric {
	if e == nil {
		return histogram
	}
	var all []prometheus.Exemplar
	for i := range e {
		if one := e[i].Load(); one != nil {
			all = append(all, prometheus.Exemplar{Value: one.took.Seconds(), Timestamp: one.at,
				Labels: prometheus.Labels{"trace_id": hex.EncodeToString(one.trace[:])}})
		}
	}
	if len(all) == 0 {
		return histogram
	}
	return prometheus.MustNewMetricWithExemplars(histogram, all...)
}

// merge takes over the newer exemplars of another histogram. A nil other has no exemplars.
func (e *exemplars) merge(other *exemplars) {
	if other == nil {
		return
	}
	for i := range other {
		if one, own := other[i].Load(), e[i].Load(); one != nil && (own == nil || one.at.After(own.at)) {
			e[i].Store(one)
		}
	}
}
