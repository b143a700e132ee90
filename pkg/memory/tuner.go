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
	leastPercent = 6 // of the limit, for the Budget, however much the rest of the process holds
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

	collections uint64
	others      [2]int64 // what the rest of the process held at the last collections
	most        int64    // used since the last collection
	toFree      int      // how often memory is still to be given back
	freed       time.Time
}

// Run looks every second, until ctx ends. It calls report each time.
func (t *Tuner) Run(ctx context.Context, report func()) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			t.observe(readHeap())
			if t.release(now) {
				debug.FreeOSMemory()
			}
			report()
		}
	}
}

// Start sets the Budget before anything is known about the rest of the process but what it holds now.
func (t *Tuner) Start() {
	alive, collections := readHeap()
	t.collections, t.others = collections, [2]int64{alive, alive}
	t.apply()
}

// readHeap returns how many bytes the last collection has left, and how many collections there were.
func readHeap() (alive int64, collections uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64()), samples[1].Value.Uint64()
}

// observe learns from a collection how much the rest of the process holds. Of two collections the lower figure counts: when
// clients leave during one, what they held is not known any more.
func (t *Tuner) observe(alive int64, collections uint64) {
	t.most = max(t.most, t.Budget.Used())
	if collections == t.collections {
		return
	}
	t.others = [2]int64{t.others[1], max(alive-t.most, 0)}
	t.collections, t.most = collections, t.Budget.Used()
	t.apply()
}

func (t *Tuner) apply() {
	if t.Limit > 0 {
		room := t.Limit/100*alivePercent - min(t.others[0], t.others[1])
		t.Budget.SetLimit(max(room, t.Limit/100*leastPercent))
	}
}

// freeEvery bounds how often a collection is forced.
const freeEvery = 10 * time.Second

// release reports whether memory is to be given back to the system now: twice once clients hold little again, since the
// first collection leaves what is in pools.
func (t *Tuner) release(now time.Time) bool {
	used, limit := t.Budget.Used(), t.Budget.Limit()
	switch {
	case limit == 0:
		return false
	case used > limit/4:
		t.toFree = 2
		return false
	case t.toFree == 0 || used > limit/8:
		return false
	case t.toFree == 2 && now.Sub(t.freed) < freeEvery:
		return false
	}
	t.toFree--
	t.freed = now
	return true
}
