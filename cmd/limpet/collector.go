package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/memory"
)

// The amount of garbage that triggers a collection. The live heap is mostly connections. HTTP/1.1 requests leave no garbage, but
// TLS handshakes do. With GOGC=100 and few open connections, a collection runs every 80 handshakes, which costs 6 % of a
// handshake. With 10,000 idle TLS connections, GOGC=100 needs 4 KiB more for each.
const (
	minGarbage     = 16 << 20 // bytes
	garbagePercent = 50       // of the live heap, if that is more, up to maxGarbage
	maxGarbage     = 64 << 20 // bytes
	largePercent   = 25       // of the live heap, if that is more than maxGarbage
)

// tuneCollector adjusts the GC percentage after each collection. It does nothing if the user has set GOGC.
func tuneCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	last := 0
	afterEachCollection(func() {
		percent := percentFor(liveHeap())
		if isLoading.Load() {
			percent = loadingPercent
		}
		if percent != last {
			debug.SetGCPercent(percent)
			last = percent
		}
	})
}

// loadingPercent is the GC percentage while manifests are read. Most of the heap is live then, and grows, so that collections
// find little: with 10,000 Ingresses they took a third of the CPU.
const loadingPercent = 400

// isLoading is true while manifests are read.
var isLoading atomic.Bool

// whileLoading calls load with fewer collections. They stay as frequent as a memory limit requires.
func whileLoading(load func()) {
	if os.Getenv("GOGC") != "" {
		load()
		return
	}
	if limit := memory.ProcessLimit(); limit > 0 {
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(limit / 100 * loadingShare))
	}
	isLoading.Store(true)
	defer debug.SetGCPercent(debug.SetGCPercent(loadingPercent))
	defer isLoading.Store(false)
	load()
}

// loadingShare is the Go memory limit while manifests are read, in percent of the limit of the process. The rest is for memory
// that the runtime does not count.
const loadingShare = 60

// percentFor returns the GC percentage for a live heap of that many bytes. It rounds to steps of 5, because every change stops
// all goroutines for a moment.
func percentFor(live uint64) int {
	const maxPercent = 800 // for a very small live heap
	garbage := max(minGarbage, min(live*garbagePercent/100, maxGarbage), live*largePercent/100)
	return int(min(garbage*100/max(live, 1), maxPercent)) / 5 * 5
}

// liveHeap returns the size of the live heap, in bytes, after the last collection.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// afterEachCollection calls do now and after each collection, one call at a time.
func afterEachCollection(do func()) {
	do()
	runtime.AddCleanup(new(collectionSentinel), afterEachCollection, do)
}

// collectionSentinel is unreachable from the start, so that its cleanup runs after the next collection. It is too large for the
// tiny allocator, which could keep it reachable.
type collectionSentinel [16]byte
