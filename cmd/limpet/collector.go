package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Garbage that is let come together before it is collected. What is alive is most of all connections; requests over
// HTTP/1.1 leave none, handshakes do. Go's own measure, as much as is alive, is collected every 80 handshakes when few
// connections are open, which costs 6 % of one; and 10,000 idle connections over TLS take 4 KiB each more with it.
const (
	leastGarbage   = 16 << 20 // bytes
	garbagePercent = 50       // of what is alive, where that is more
)

// tuneCollector sets the garbage collector anew after each collection, unless the user has chosen (GOGC).
func tuneCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	last := 0
	afterEachCollection(func() {
		if percent := percentFor(alive()); percent != last {
			debug.SetGCPercent(percent)
			last = percent
		}
	})
}

// percentFor is what makes the collector wait for so much garbage, in steps of 10 or more: to set it stops all goroutines
// for a moment.
func percentFor(alive uint64) int {
	const most = 800 // of nearly nothing, which would else be collected all the time
	percent := leastGarbage * 100 / max(alive, 1)
	return int(min(max(percent, garbagePercent), most)) / 10 * 10
}

// alive is how many bytes the last collection has left.
func alive() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// afterEachCollection calls do now and when a collection has ended, one call at a time.
func afterEachCollection(do func()) {
	do()
	runtime.AddCleanup(new(untilCollected), afterEachCollection, do)
}

// untilCollected is garbage from the start. It is too large to share a block of memory with what is none.
type untilCollected [16]byte
