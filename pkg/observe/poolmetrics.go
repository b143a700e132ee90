package observe

import (
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// PoolMetrics counts the traffic of one pool, or of several that are exported together. It is safe for concurrent use.
type PoolMetrics struct {
	codes     [len(codeNames)]atomic.Uint64
	duration  durations
	decisions [affinity.NumOutcomes][affinity.NumReasons]atomic.Uint64
	retries   atomic.Uint64
	failures  [failures]atomic.Uint64
	exemplars atomic.Pointer[exemplars] // nil without traced requests
}

// codeNames are the values of the label code: the classes by their first digit, with 0 for invalid statuses, and then the
// statuses from firstExact on.
var codeNames = [...]string{"0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "500", "501", "502", "503", "504"}

const (
	statusClasses = 6
	firstExact    = 500
)

// codeIndex returns the index of the status in codeNames, or that of its class.
func codeIndex(status int) int {
	if i := status - firstExact; i >= 0 && i < len(codeNames)-statusClasses {
		return statusClasses + i
	}
	if class := status / 100; class > 0 && class < statusClasses {
		return class
	}
	return 0
}

// Request counts a completed request. Any status is accepted, because pods may send invalid ones.
func (p *PoolMetrics) Request(status int, took time.Duration) {
	p.codes[codeIndex(status)].Add(1)
	p.duration.observe(took)
}

// Decision counts an affinity decision.
func (p *PoolMetrics) Decision(o affinity.Outcome, r affinity.Reason) {
	if isPossible(o, r) {
		p.decisions[o][r].Add(1)
	}
}

// Retry counts an attempt after the first one.
func (p *PoolMetrics) Retry() { p.retries.Add(1) }

// Failure counts a failed attempt at a pod, or a request that no pod could serve. It ignores all other failures.
func (p *PoolMetrics) Failure(f Failure) {
	if f.isUpstream() {
		p.failures[f].Add(1)
	}
}

// activity returns a number that grows with each request, attempt and failure.
func (p *PoolMetrics) activity() uint64 {
	n := p.retries.Load()
	for i := range p.codes {
		n += p.codes[i].Load()
	}
	for i := range p.failures {
		n += p.failures[i].Load()
	}
	return n
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

// durationBounds are the upper bounds of the buckets of durations.
var durationBounds = [...]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second,
	2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute,
}

// durations is a histogram. The last bucket has the durations above all bounds.
type durations struct {
	buckets [len(durationBounds) + 1]atomic.Uint64
	sum     atomic.Int64 // nanoseconds
	// native is a native histogram of the same durations. It is nil without one, and immutable.
	native *nativeBuckets
}

func (d *durations) observe(took time.Duration) {
	d.buckets[bucketOf(took)].Add(1)
	d.sum.Add(int64(took))
	if d.native != nil {
		d.native.observe(took)
	}
}

// bucketOf returns the index of the bucket of a duration.
func bucketOf(took time.Duration) int {
	i := 0
	for i < len(durationBounds) && took > durationBounds[i] {
		i++
	}
	return i
}

// add adds the observations of another histogram.
func (d *durations) add(other *durations) {
	for i := range d.buckets {
		d.buckets[i].Add(other.buckets[i].Load())
	}
	d.sum.Add(other.sum.Load())
	if d.native != nil && other.native != nil {
		d.native.add(other.native)
	}
}

// visitCounters calls visit for the values of all counters, or only of those that have counted something.
func (p *PoolMetrics) visitCounters(zeros bool, visit func(kind counterKind, value uint64, labels ...string)) {
	for i, code := range codeNames {
		if n := p.codes[i].Load(); zeros || n > 0 {
			visit(kindRequests, n, code)
		}
	}
	for o := range p.decisions {
		for r := range p.decisions[o] {
			outcome, reason := affinity.Outcome(o), affinity.Reason(r)
			if n := p.decisions[o][r].Load(); n > 0 || zeros && isPossible(outcome, reason) {
				visit(kindDecisions, n, outcome.String(), reason.String())
			}
		}
	}
	if n := p.retries.Load(); zeros || n > 0 {
		visit(kindRetries, n)
	}
	for f := range p.failures {
		reason := Failure(f)
		if n := p.failures[f].Load(); n > 0 || zeros && reason.isUpstream() {
			visit(kindFailures, n, reason.String())
		}
	}
}

// upperBounds returns durationBounds with cumulative counts, in the form of Prometheus.
func (d *durations) upperBounds() (bounds map[float64]uint64, count uint64, sum float64) {
	bounds = make(map[float64]uint64, len(durationBounds))
	for i, bound := range durationBounds {
		count += d.buckets[i].Load()
		bounds[bound.Seconds()] = count
	}
	count += d.buckets[len(durationBounds)].Load()
	return bounds, count, time.Duration(d.sum.Load()).Seconds()
}
