package observe

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Native histograms of durations have four buckets for each doubling, so that a quantile is exact to within 10 %. They range from
// 122 microseconds to 4096 seconds.
const (
	nativeSchema = 2
	// nativeZero is the longest duration in seconds that the zero bucket counts.
	nativeZero             = 1.0 / (1 << 13)
	nativeFirst, nativeEnd = -51, 49 // keys of buckets
)

// nativeBuckets are the counts of a native histogram.
type nativeBuckets struct {
	zero    atomic.Uint64
	buckets [nativeEnd - nativeFirst]atomic.Uint64
}

// nativeBounds are the upper bounds of the buckets between 1/2 and 1: powers of the fourth root of 2.
var nativeBounds = [...]float64{0.5, 0.5 * math.Sqrt2 / 1.189207115002721, 0.5 * math.Sqrt2, 0.5 * 2 / 1.189207115002721}

// nativeKey returns the key of the bucket of a duration in seconds. Bucket 0 ends at 1.
func nativeKey(seconds float64) int {
	fraction, exponent := math.Frexp(seconds)
	i := 0
	for i < len(nativeBounds) && fraction > nativeBounds[i] {
		i++
	}
	return i + (exponent-1)*len(nativeBounds)
}

func (n *nativeBuckets) observe(took time.Duration) {
	if seconds := took.Seconds(); seconds > nativeZero {
		n.buckets[min(nativeKey(seconds), nativeEnd-1)-nativeFirst].Add(1)
		return
	}
	n.zero.Add(1)
}

func (n *nativeBuckets) add(other *nativeBuckets) {
	n.zero.Add(other.zero.Load())
	for i := range n.buckets {
		n.buckets[i].Add(other.buckets[i].Load())
	}
}

var unlabeled = desc("request_duration_seconds", "", nil)

// beside returns a metric with both a classic histogram and this native one. Formats without native histograms have only the
// classic one.
func (n *nativeBuckets) beside(classic prometheus.Metric, sum float64) prometheus.Metric {
	positive := map[int]int64{}
	zero := n.zero.Load()
	count := zero
	for i := range n.buckets {
		if v := n.buckets[i].Load(); v > 0 {
			positive[i+nativeFirst] = int64(v) //nolint:gosec // a count of requests
			count += v
		}
	}
	// The labels are the labels of the classic histogram.
	native := prometheus.MustNewConstNativeHistogram(unlabeled, count, sum, positive, nil, zero, nativeSchema, nativeZero,
		time.Now())
	return &bothHistograms{classic, native}
}

// bothHistograms is a metric with a classic and a native histogram.
type bothHistograms struct {
	prometheus.Metric // classic
	native            prometheus.Metric
}

// Write implements prometheus.Metric. Requests may have been counted between the two. Prometheus rejects a native histogram whose
// count is not the sum of its buckets, and a classic one with a bucket above the count.
func (b *bothHistograms) Write(out *dto.Metric) error {
	if err := b.Metric.Write(out); err != nil {
		return err
	}
	var native dto.Metric
	if err := b.native.Write(&native); err != nil {
		return err
	}
	h, n := out.GetHistogram(), native.GetHistogram()
	h.SampleCount, h.Schema, h.ZeroThreshold, h.ZeroCount = n.SampleCount, n.Schema, n.ZeroThreshold, n.ZeroCount
	h.PositiveSpan, h.PositiveDelta = n.GetPositiveSpan(), n.GetPositiveDelta()
	for _, bucket := range h.GetBucket() {
		*bucket.CumulativeCount = min(bucket.GetCumulativeCount(), n.GetSampleCount())
	}
	return nil
}
