package sketch

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/axiomhq/hyperloglog"
)

// Times in seconds.
const (
	// SliceSeconds is the length of the slices of the last minutes. Call Rotate once in each.
	SliceSeconds = 60
	// IdleSeconds is the time without a request after which a session counts as idle. It is rounded up to the end of a slice.
	IdleSeconds = 5 * 60
	// MaxSeconds is the maximum length of a Window.
	MaxSeconds = 24 * 60 * 60
)

// numCoarse is the number of slices into which the time before the last minutes is divided.
const numCoarse = 6

// Window is the set of the values of a sliding window of time. It is safe for concurrent use. Add takes no lock.
//
// The zero value is an empty Window without a Budget.
type Window struct {
	// Budget bounds the memory. It must be set before the first call.
	Budget *Budget

	current atomic.Pointer[slice]
	seconds atomic.Int64 // the longest that Add was called with
	dropped atomic.Bool  // there was no memory for the current slice

	mu       sync.Mutex
	previous *slice // the slice before current, to which concurrent calls of Add may still add
	start    int64  // of current
	done     []completed
}

// completed is a slice that does not change, or several of them. The newest comes first in a Window.
type completed struct {
	sketch     *hyperloglog.Sketch
	start, end int64
	size       int64
	coarse     bool
	incomplete bool
}

// Add adds a value, which must be random or a hash. seconds is the length of the window: values are forgotten after that time,
// rounded up to the end of a slice. Of several lengths the longest applies.
func (w *Window) Add(value uint64, seconds int64) {
	for known := w.seconds.Load(); known < seconds; known = w.seconds.Load() {
		if w.seconds.CompareAndSwap(known, min(seconds, MaxSeconds)) || seconds > MaxSeconds {
			break
		}
	}
	s := w.current.Load()
	if s == nil {
		s = grow(&w.current, smallSize, w.Budget)
	}
	if s == nil {
		w.dropped.Store(true)
		return
	}
	s.add(value, w.Budget)
}

// Seconds returns the length of the window. It is zero before the first call of Add.
func (w *Window) Seconds() int64 { return w.seconds.Load() }

// Rotate ends the current slice, and forgets the values that are older than the window. now is in Unix seconds. It returns the
// memory in use, for Budget.Reset.
func (w *Window) Rotate(now int64) (bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.previous != nil {
		w.done = append([]completed{w.complete(w.previous)}, w.done...)
	}
	w.previous = w.current.Swap(nil)
	w.dropped.Store(false)
	w.start = now
	w.coarsen(now)
	w.forget(now)
	for i := range w.done {
		bytes += w.done[i].size
	}
	if w.previous != nil {
		bytes += w.previous.size()
	}
	return bytes
}

// complete converts a slice that ended SliceSeconds before the current one started.
func (w *Window) complete(s *slice) completed {
	c := completed{sketch: newSketch(), start: w.start - SliceSeconds, end: w.start, incomplete: s.incomplete.Load()}
	s.addTo(c.sketch)
	c.size = sketchSize(c.sketch)
	return c
}

// coarsen merges slices that are older than IdleSeconds into longer ones.
func (w *Window) coarsen(now int64) {
	span := max(SliceSeconds, (w.seconds.Load()-IdleSeconds)/numCoarse)
	for i := range w.done {
		c := &w.done[i]
		if c.coarse || c.end > now-IdleSeconds {
			continue
		}
		c.coarse = true
		if i+1 == len(w.done) || c.end-w.done[i+1].start > span {
			continue // it starts a longer slice
		}
		w.mergeInto(&w.done[i+1], c)
		w.done = append(w.done[:i], w.done[i+1:]...)
		return // at most one slice becomes too old in each rotation
	}
}

// mergeInto adds the values of c to older.
func (w *Window) mergeInto(older, c *completed) {
	merge(older.sketch, c.sketch)
	older.size, older.end, older.incomplete = sketchSize(older.sketch), c.end, older.incomplete || c.incomplete
}

// forget removes slices that are older than the window.
func (w *Window) forget(now int64) {
	for last := len(w.done) - 1; last >= 0 && w.done[last].end <= now-w.seconds.Load(); last-- {
		w.done[last] = completed{}
		w.done = w.done[:last]
	}
}

// sketchSize returns the memory of a sketch. The sparse form uses up to four bytes for each value, up to the size of the dense
// one.
func sketchSize(s *hyperloglog.Sketch) int64 {
	const overhead = 256
	return overhead + int64(min(4*s.Estimate(), numRegisters))
}

// All returns the values of the window.
func (w *Window) All() *Set { return w.since(math.MinInt64) }

// Active returns the values that were added in the last IdleSeconds.
func (w *Window) Active(now int64) *Set { return w.since(now - IdleSeconds) }

// since returns the values of the slices that end after a time.
func (w *Window) since(after int64) *Set {
	w.mu.Lock()
	defer w.mu.Unlock()
	set := NewSet()
	set.Incomplete = w.dropped.Load()
	for _, s := range []*slice{w.current.Load(), w.previous} {
		if s != nil {
			s.addTo(set.sketch)
			set.Incomplete = set.Incomplete || s.incomplete.Load()
		}
	}
	for i := range w.done {
		if w.done[i].end > after {
			merge(set.sketch, w.done[i].sketch)
			set.Incomplete = set.Incomplete || w.done[i].incomplete
		}
	}
	return set
}
