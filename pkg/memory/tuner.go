package memory

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Shares of the memory limit, in percent. What is alive may grow by half before it is collected, and the runtime and the
// program itself need some as well: with 30 % alive the process stays below 60 %.
const (
	alivePercent = 30
	// Go is told to stay below softPercent, and to have room for half as much garbage as can be alive, but never to need
	// more than hardPercent. The rest is for what the runtime does not count.
	softPercent, hardPercent = 50, 90
	leastPercent             = 6 // of the limit, for the Budget, however much the rest of the process holds
)

// DefaultBudget is used where no memory limit is known, in bytes.
const DefaultBudget = 512 << 20

// Tuner keeps a Budget to what the memory limit leaves beside the rest of the process, and gives memory back to the system
// after times in which clients held much. Its methods are called by one goroutine.
type Tuner struct {
	// Budget is the one that is tuned.
	Budget *Budget
	// Limit is the memory limit of the process, in bytes. Zero leaves the Budget as it is.
	Limit int64
	// KeepBudget leaves the Budget as it is too, and tunes only Go.
	KeepBudget bool
	// KeepGoLimit leaves Go's own memory limit as it is, as GOMEMLIMIT has set it.
	KeepGoLimit bool

	goLimit     int64 // what Go was told
	collections uint64
	others      [2]int64 // what the rest of the process held at the last collections
	most        int64    // used since the last collection
	quiet       int      // for how many looks there was no collection
	freeing     int      // how often memory is still to be given back
	before      int64    // what the process had from the system when it began to be given back
	floor       int64    // and when that had been done
	wait        int      // for how many quiet looks memory is not given back again, unless more has been taken
}

// Run looks every second, until ctx ends. It calls report each time.
func (t *Tuner) Run(ctx context.Context, report func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			h := readHeap()
			if t.observe(h.alive, h.collections); t.release(h.mapped) {
				debug.FreeOSMemory()
			}
			report()
		}
	}
}

// Start tunes before anything is known about the rest of the process but what it holds now.
func (t *Tuner) Start() {
	h := readHeap()
	t.collections, t.others = h.collections, [2]int64{h.alive, h.alive}
	t.apply()
}

// heap is what the runtime says of the memory of the process.
type heap struct {
	alive       int64  // bytes that the last collection has left
	mapped      int64  // bytes that the process has from the system
	collections uint64 // so far
}

func readHeap() heap {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	value := func(i int) uint64 { return samples[i].Value.Uint64() }
	return heap{alive: int64(value(0)), mapped: int64(value(2) - value(3)), collections: value(1)}
}

// observe learns from a collection how much the rest of the process holds. Of two collections the lower figure counts: when
// clients leave during one, what they held is not known any more.
func (t *Tuner) observe(alive int64, collections uint64) {
	t.most = max(t.most, t.Budget.Used())
	t.quiet++
	if collections == t.collections {
		return
	}
	t.quiet = 0
	t.others = [2]int64{t.others[1], max(alive-t.most, 0)}
	t.collections, t.most = collections, t.Budget.Used()
	t.apply()
}

func (t *Tuner) apply() {
	if t.Limit == 0 {
		return
	}
	others := min(t.others[0], t.others[1])
	budget := max(t.Limit/100*alivePercent-others, t.Limit/100*leastPercent)
	if t.KeepBudget {
		budget = t.Budget.Limit()
	} else {
		t.Budget.SetLimit(budget)
	}
	t.tellGo(others + budget)
}

// tellGo sets Go's memory limit for that much that can be alive, if that changes it by some percent: setting it stops all
// goroutines for a moment. It bounds garbage where the collector is told too late how much of it to allow, as when much
// comes alive at once.
func (t *Tuner) tellGo(alive int64) {
	limit := min(max(t.Limit/100*softPercent, alive+alive/2), t.Limit/100*hardPercent)
	if change := limit - t.goLimit; t.KeepGoLimit || max(change, -change) < t.Limit/50 {
		return
	}
	t.goLimit = limit
	debug.SetMemoryLimit(limit)
}

const (
	// quietLooks is for how many looks nothing was collected before memory is given back. A process that allocates does it
	// by itself.
	quietLooks = 5
	// worthFreeing is how much more than last time the process must have from the system, beside a quarter.
	worthFreeing = 8 << 20
	// firstWait and mostWait are for how many quiet looks a process that has not grown is left alone: what clients held may
	// be garbage by now, which only a collection can tell. Each that was in vain doubles the wait, up to how often the
	// runtime collects by itself.
	firstWait, mostWait = 10, 120
)

// release reports whether memory is to be given back to the system now: twice when the process has become quiet, since the
// first collection leaves what is in pools. Otherwise what clients held stays until the next collection, which a process
// without work comes to after minutes.
func (t *Tuner) release(mapped int64) bool {
	if t.freeing > 0 {
		if t.freeing--; t.freeing == 0 {
			t.released(mapped)
		}
		return t.freeing > 0
	}
	grown := mapped >= t.floor+t.floor/4+worthFreeing
	if t.quiet < quietLooks || !grown && t.quiet < max(t.wait, firstWait) {
		return false
	}
	t.before, t.freeing = mapped, 2
	return true
}

// released notes what the process has after memory was given back.
func (t *Tuner) released(mapped int64) {
	t.floor = mapped
	if mapped < t.before-t.before/8 {
		t.wait = firstWait
		return
	}
	t.wait = min(2*max(t.wait, firstWait), mostWait)
}
