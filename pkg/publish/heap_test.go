package publish

import (
	"fmt"
	"runtime"
	"testing"
)

// heapPerIngress returns the bytes of heap for one Ingress with a host, two paths, a Service and ten endpoints with pods. The
// objects themselves do not count: in a cluster, they belong to the cache.
func heapPerIngress(tb testing.TB, size, perPolicy int) float64 {
	tb.Helper()
	fleet, objects := newScaleObjects(tb, size, perPolicy)
	before := heapInUse()
	fleet.apply(objects...)
	after := heapInUse()
	runtime.KeepAlive(fleet)
	runtime.KeepAlive(objects)
	return float64(after-before) / float64(size)
}

// The bounds are 12 % above the figures of ADR 67: the ejection of pods added 2 %. What raises them costs every user of a large cluster memory.
func TestHeap_perIngress(t *testing.T) {
	for _, c := range []struct {
		perPolicy int
		most      float64
	}{{10, 10_150}, {1, 14_500}} {
		if got := heapPerIngress(t, 1000, c.perPolicy); got > c.most {
			t.Errorf("%.0f bytes per Ingress with one policy for %d Services, want at most %.0f", got, c.perPolicy, c.most)
		}
	}
}

// BenchmarkHeapPerIngress reports the heap for one Ingress. With -memprofile and -memprofilerate 1, the profile has the types.
func BenchmarkHeapPerIngress(b *testing.B) {
	for _, perPolicy := range []int{10, 1} {
		for _, size := range []int{1000, 10_000} {
			b.Run(fmt.Sprintf("%d/a-policy-for-%d", size, perPolicy), func(b *testing.B) {
				for b.Loop() {
					b.ReportMetric(heapPerIngress(b, size, perPolicy), "bytes/Ingress")
				}
			})
		}
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // frees what pools have kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
