package memory

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Shares of the memory limit, in percent. The live heap may grow by half before a collection, and the runtime and the
// program also need memory. With 30 % live, the process stays below 60 %.
const (
	livePercent = 30
	// softPercent is the Go memory limit in normal operation. The limit rises for a larger live heap, to leave space
	// for half as much garbage. It never exceeds hardPercent. The rest is for memory that the runtime does not count.
	softPercent, hardPercent = 50, 90
	minPercent               = 6 // minimum of the Budget, for any size of the rest of the process
)

// DefaultBudget is the Budget in bytes if no memory limit is known.
const DefaultBudget = 512 << 20

// Tuner adapts a Budget to the memory that the rest of the process leaves free. It also releases memory to the
// operating system after peaks. Its methods must be called by one goroutine.
type Tuner struct {
	// Budget is the Budget to tune.
	Budget *Budget
	// Limit is the memory limit of the process in bytes. Zero leaves the Budget unchanged.
	Limit int64
	// KeepBudget leaves the Budget unchanged too. Only the Go memory limit is tuned.
	KeepBudget bool
	// KeepGoLimit leaves the Go memory limit unchanged, because GOMEMLIMIT sets it.
	KeepGoLimit bool
	// Loaded reports whether the process has read its configuration. Then the garbage of reading it is released. If
	// Loaded is nil, the process has no configuration.
	Loaded func() bool

	// For the Budget and the Go memory limit.
	goLimit   int64    // current Go memory limit in bytes
	gcCycles  uint64   // completed collections
	nonBudget [2]int64 // live bytes outside of the Budget at the last two collections
	peakUsed  int64    // maximum of Budget.Used since the last collection

	// For the release of memory to the operating system.
	ticksWithoutGC int   // seconds since the last collection
	releasesLeft   int   // remaining calls of debug.FreeOSMemory
	mappedBefore   int64 // mapped bytes before the release
	mappedAfter    int64 // mapped bytes after the release
	released       bool  // the garbage of the start
	releaseWait    int   // seconds without a collection before the next release, unless mapped memory grows
}

// Run tunes every second until ctx is done. It calls report each time.
func (t *Tuner) Run(ctx context.Context, report func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h := readHeapStats()
			if t.observe(h.live, h.gcCycles); t.shouldRelease(h.mapped) {
				debug.FreeOSMemory()
			}
			report()
		}
	}
}

// Start tunes once, before the first collection.
func (t *Tuner) Start() {
	h := readHeapStats()
	t.gcCycles, t.nonBudget = h.gcCycles, [2]int64{h.live, h.live}
	t.apply()
}

// heapStats contains memory statistics of the runtime.
type heapStats struct {
	live     int64  // bytes that survived the last collection
	mapped   int64  // bytes mapped from the operating system
	gcCycles uint64 // completed collections
}

func readHeapStats() heapStats {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return heapStats{live: int64(value(0)), mapped: int64(value(2) - value(3)), gcCycles: value(1)}
}

// observe updates nonBudget after a collection. The lower value of two collections is used: memory of clients that
// disconnect during a collection counts as live, but not as Used.
func (t *Tuner) observe(live int64, gcCycles uint64) {
	t.peakUsed = max(t.peakUsed, t.Budget.Used())
	t.ticksWithoutGC++
	if gcCycles == t.gcCycles {
		return
	}
	t.ticksWithoutGC = 0
	t.nonBudget = [2]int64{t.nonBudget[1], max(live-t.peakUsed, 0)}
	t.gcCycles, t.peakUsed = gcCycles, t.Budget.Used()
	t.apply()
}

func (t *Tuner) apply() {
	if t.Limit == 0 {
		return
	}
	nonBudget := min(t.nonBudget[0], t.nonBudget[1])
	budget := max(t.Limit/100*livePercent-nonBudget, t.Limit/100*minPercent)
	if t.KeepBudget {
		budget = t.Budget.Limit()
	} else {
		t.Budget.SetLimit(budget)
	}
	t.setGoLimit(nonBudget + budget)
}

// setGoLimit sets the Go memory limit for a given live heap. It skips changes of less than 2 %, because setting the
// limit stops all goroutines. The limit bounds garbage when the live heap grows faster than the collector adapts.
func (t *Tuner) setGoLimit(live int64) {
	limit := min(max(t.Limit/100*softPercent, live+live/2), t.Limit/100*hardPercent)
	if change := limit - t.goLimit; t.KeepGoLimit || max(change, -change) < t.Limit/50 {
		return
	}
	t.goLimit = limit
	debug.SetMemoryLimit(limit)
}

const (
	// minQuietTicks is the number of seconds without a collection before memory is released. A process that allocates
	// releases memory by itself.
	minQuietTicks = 5
	// minGrowth is the growth in bytes since the last release, in addition to a quarter, that triggers the next
	// release.
	minGrowth = 8 << 20
	// minReleaseWait and maxReleaseWait bound the seconds without a collection before a release without growth. Memory
	// of clients may be garbage that only a collection finds. Each release without effect doubles the wait, up to the
	// period of the runtime's forced collections.
	minReleaseWait, maxReleaseWait = 10, 120
)

// shouldRelease reports whether the caller must release memory to the operating system now. It does so after the start. When the
// process is idle, it returns true twice, because the first collection keeps the contents of sync.Pools. Otherwise an idle
// process would keep the memory until a forced collection, minutes later.
func (t *Tuner) shouldRelease(mapped int64) bool {
	if !t.released && t.Loaded != nil && t.Loaded() {
		t.released = true
		return true
	}
	if t.releasesLeft > 0 {
		if t.releasesLeft--; t.releasesLeft == 0 {
			t.recordRelease(mapped)
		}
		return t.releasesLeft > 0
	}
	hasGrown := mapped >= t.mappedAfter+t.mappedAfter/4+minGrowth
	if t.ticksWithoutGC < minQuietTicks || !hasGrown && t.ticksWithoutGC < max(t.releaseWait, minReleaseWait) {
		return false
	}
	t.mappedBefore, t.releasesLeft = mapped, 2
	return true
}

// recordRelease records the mapped memory after a release.
func (t *Tuner) recordRelease(mapped int64) {
	t.mappedAfter = mapped
	if mapped < t.mappedBefore-t.mappedBefore/8 {
		t.releaseWait = minReleaseWait
		return
	}
	t.releaseWait = min(2*max(t.releaseWait, minReleaseWait), maxReleaseWait)
}
