package observe

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"

	"github.com/limpet-dev/limpet/pkg/model"
)

// gathered returns the histograms of durations.
func gathered(t *testing.T, m *Metrics) []*dto.Histogram {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []*dto.Histogram
	for _, f := range families {
		if f.GetName() == "limpet_request_duration_seconds" {
			for _, metric := range f.GetMetric() {
				all = append(all, metric.GetHistogram())
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("there is no histogram")
	}
	return all
}

// The native histogram must be that of the Prometheus library.
func TestNative_equalsLibrary(t *testing.T) {
	m := NewMetricsWith(MetricsOptions{Detail: DetailPool, Traced: true})
	id := model.PoolID{Namespace: "shop", Service: "cart", Port: 80}
	m.Attach(0, id)
	library := prometheus.NewHistogram(prometheus.HistogramOpts{
		NativeHistogramBucketFactor: 1.19, NativeHistogramZeroThreshold: nativeZero, Buckets: []float64{1},
	})
	random := rand.New(rand.NewPCG(rand.Uint64(), 1))
	observe := func(p *PoolMetrics, took time.Duration) {
		p.Request(200, took)
		library.Observe(took.Seconds())
	}
	for range 5000 {
		observe(m.Pool(0), time.Duration(random.Int64N(1<<random.IntN(42))))
	}
	for _, edge := range []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4096 * time.Second} {
		observe(m.NoRoute, edge)
	}
	m.Detach(id) // what it has counted must stay in the total
	m.Attach(1, id)
	observe(m.Pool(1), time.Minute)
	var want dto.Metric
	if err := library.Write(&want); err != nil {
		t.Fatal(err)
	}
	got := gathered(t, m)[0]
	if got.GetSchema() != want.GetHistogram().GetSchema() || got.GetSampleCount() != want.GetHistogram().GetSampleCount() {
		t.Fatalf("schema %d, count %d, want %v", got.GetSchema(), got.GetSampleCount(), want.GetHistogram())
	}
	both := func(h *dto.Histogram) *dto.Histogram {
		return &dto.Histogram{ZeroThreshold: h.ZeroThreshold, ZeroCount: h.ZeroCount, PositiveSpan: h.GetPositiveSpan(),
			PositiveDelta: h.GetPositiveDelta()}
	}
	if !proto.Equal(both(got), both(want.GetHistogram())) {
		t.Errorf("got  %v\nwant %v", both(got), both(want.GetHistogram()))
	}
	if n := len(got.GetBucket()); n != len(durationBounds) {
		t.Errorf("%d classic buckets", n)
	}
}

// A request may be counted between the two histograms. Prometheus rejects one whose count is not the sum of its buckets.
func TestNative_countedBetween(t *testing.T) {
	for name, change := range map[string]func(*durations){
		"only in the classic one": func(d *durations) { d.buckets[2].Add(3) },
		"only in the native one":  func(d *durations) { d.native.buckets[20].Add(3) },
		"neither":                 func(*durations) {},
	} {
		d := durations{native: new(nativeBuckets)}
		d.observe(time.Microsecond)
		d.observe(20 * time.Millisecond)
		change(&d)
		var out dto.Metric
		if err := histogramOf(desc("request_duration_seconds", "", nil), &d).Write(&out); err != nil {
			t.Fatal(err)
		}
		h := out.GetHistogram()
		sum, bucket := h.GetZeroCount(), int64(0)
		for _, delta := range h.GetPositiveDelta() {
			bucket += delta
			sum += uint64(bucket)
		}
		if last := h.GetBucket()[len(durationBounds)-1].GetCumulativeCount(); sum != h.GetSampleCount() || last > sum {
			t.Errorf("%s: count %d, the native buckets have %d, the classic ones %d", name, h.GetSampleCount(), sum, last)
		}
	}
}

func TestNative_onlyWithTraces(t *testing.T) {
	m := NewMetricsWith(MetricsOptions{Detail: DetailPool})
	m.NoRoute.Request(404, time.Second)
	if h := gathered(t, m)[0]; h.Schema != nil || h.GetSampleCount() != 1 {
		t.Errorf("got %v", h)
	}
}

// What lasts longer than the highest bucket is counted there.
func TestNative_longest(t *testing.T) {
	var n nativeBuckets
	n.observe(100 * time.Hour)
	if n.buckets[len(n.buckets)-1].Load() != 1 {
		t.Error("the last bucket is empty")
	}
}
