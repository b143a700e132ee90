package publish

import (
	"fmt"
	"runtime"
	"testing"
)

// heapPerIngress returns the bytes of heap for one Ingress with a host, two paths, a Service and ten endpoints with pods. The
// objects themselves do not count: in a cluster, they belong to the cache.
func heapPerIngress(tb testing.TB, size int) float64 {
	tb.Helper()
	fleet, objects := newScaleObjects(tb, size)
	before := heapInUse()
	fleet.apply(objects...)
	after := heapInUse()
	runtime.KeepAlive(fleet)
	runtime.KeepAlive(objects)
	return float64(after-before) / float64(size)
}

// BenchmarkHeapPerIngress reports the heap for one Ingress. With -memprofile and -memprofilerate 1, the profile has the types.
func BenchmarkHeapPerIngress(b *testing.B) {
	for _, size := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(heapPerIngress(b, size), "bytes/Ingress")
			}
		})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // frees what pools have kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
