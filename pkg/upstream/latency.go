package upstream

import (
	"math"
	"sync/atomic"
	"time"
)

// latencyDecay is the time after which a measured latency has decayed to 1/e, as in ingress-nginx. An endpoint that was slow is
// chosen again after a few times that, so that its recovery is noticed.
const latencyDecay = 10 * time.Second

// latency is a moving average of response times that follows peaks immediately. Concurrent updates may be lost, so no core waits
// for another one. The zero value is an unknown latency.
type latency struct {
	average atomic.Uint64 // math.Float64bits of nanoseconds
	at      atomic.Int64  // Unix nanoseconds of the last update
}

// record adds a response time that was measured at now, in Unix nanoseconds.
func (l *latency) record(now int64, took time.Duration) {
	weight := l.weightAt(now)
	measured := max(float64(took), 1)
	decayed := weight * math.Float64frombits(l.average.Load())
	average := measured
	if measured < decayed {
		average = decayed + (1-weight)*measured
	}
	l.average.Store(math.Float64bits(average))
	l.at.Store(now)
}

// valueAt returns the latency in nanoseconds, or zero if it is unknown.
func (l *latency) valueAt(now int64) float64 {
	average := math.Float64frombits(l.average.Load())
	if average == 0 {
		return 0
	}
	return l.weightAt(now) * average
}

// weightAt returns the weight of the average at now.
func (l *latency) weightAt(now int64) float64 {
	return math.Exp(-float64(max(now-l.at.Load(), 0)) / float64(latencyDecay))
}

// RecordLatency records how long the endpoint took to respond to a request.
func (e *Endpoint) RecordLatency(took time.Duration) { e.latency.record(time.Now().UnixNano(), took) }

// Latency returns the latency of the i-th endpoint at now, in Unix nanoseconds. It is in nanoseconds, and zero if it is unknown.
func (s *Set) Latency(i int, now int64) float64 { return s.endpoints[i].latency.valueAt(now) }
