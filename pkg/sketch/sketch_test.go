package sketch

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/axiomhq/hyperloglog"
)

const day = 20_000 * 86_400 // a time in Unix seconds

// values returns n random values.
func values(seed uint64, n int) []uint64 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]uint64, n)
	for i := range out {
		out[i] = r.Uint64()
	}
	return out
}

func add(w *Window, values []uint64, seconds int64) {
	for _, v := range values {
		w.Add(v, seconds)
	}
}

// The documentation of pkg/sketch and docs/guides/drain.md state these errors.
func TestCount_error(t *testing.T) {
	for _, c := range []struct {
		n                  int
		wantRMS, wantWorst float64
	}{{64, 0, 0}, {100, 0.016, 0.05}, {1_000, 0.016, 0.05}, {100_000, 0.018, 0.05}} {
		const runs = 30
		var squares, worst float64
		for seed := range uint64(runs) {
			var w Window
			add(&w, values(seed, c.n), 600)
			err := float64(w.All().Count()-int64(c.n)) / float64(c.n)
			squares += err * err
			worst = max(worst, math.Abs(err))
		}
		rms := math.Sqrt(squares / runs)
		t.Logf("%d sessions: standard error %.2f %%, worst of %d %.2f %%", c.n, 100*rms, runs, 100*worst)
		if rms > c.wantRMS || worst > c.wantWorst {
			t.Errorf("%d sessions: standard error %.4f, worst %.4f, but want at most %.4f and %.4f", c.n, rms, worst, c.wantRMS, c.wantWorst)
		}
	}
}

// Requests set registers themselves. They must be those of the library.
func TestRegisters_equalLibrary(t *testing.T) {
	var r registerWords
	want, err := hyperloglog.NewSketch(precision, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range append(values(7, 50_000), 1, math.MaxUint64, 1<<63, 1<<52, 1<<51) {
		r.add(v)
		want.InsertHash(v)
	}
	got, err := r.sketch().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	expected, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, expected) {
		t.Error("the registers differ from those of package hyperloglog")
	}
}

func TestWindow_concurrentAdds(t *testing.T) {
	const each = 3000
	var w Window
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i, v := range values(uint64(g/2), each) { // two goroutines add the same values
				w.Add(v, 600)
				if g == 0 && i%1000 == 0 {
					w.Rotate(day + int64(i/1000))
				}
			}
		})
	}
	wg.Wait()
	if got := w.All().Count(); math.Abs(float64(got-2*each)) > 0.06*2*each {
		t.Errorf("count is %d, want about %d", got, 2*each)
	}
}

func TestWindow_forgetsAfterItsLength(t *testing.T) {
	for _, seconds := range []int64{60, 600, 1800, 12 * 3600} {
		var w Window
		w.Rotate(day)
		add(&w, values(1, 1000), seconds)
		now, most := int64(day), 0
		for w.All().Count() > 0 {
			now += SliceSeconds
			w.Rotate(now)
			w.Add(1, seconds) // another client, in each slice
			most = max(most, len(w.done))
			if w.All().CountWithout(setOf(1)) == 0 {
				break
			}
			if now > day+2*MaxSeconds {
				t.Fatalf("a window of %d s never forgets", seconds)
			}
		}
		// Up to one slice of the last minutes, and one longer slice.
		if kept, longest := now-day, seconds+2*SliceSeconds+max(SliceSeconds, seconds/numCoarse); kept < seconds || kept > longest {
			t.Errorf("a window of %d s keeps values for %d s, want up to %d s", seconds, kept, longest)
		}
		if most > 16 {
			t.Errorf("a window of %d s has %d slices, want at most 16", seconds, most)
		}
	}
}

func setOf(values ...uint64) *Set {
	var w Window
	add(&w, values, 60)
	return w.All()
}

func TestWindow_activeAndIdle(t *testing.T) {
	var w Window
	w.Rotate(day)
	add(&w, values(1, 37), 1800)
	now := int64(day)
	for range 7 {
		now += SliceSeconds
		w.Rotate(now)
	}
	add(&w, values(1, 37)[:25], 1800)
	all, active := w.All(), w.Active(now)
	if all.Count() != 37 || active.Count() != 25 || all.CountWithout(active) != 12 {
		t.Errorf("%d sessions, %d active, %d idle; want 37, 25, 12", all.Count(), active.Count(), all.CountWithout(active))
	}
}

func TestWindow_activeUntilFiveMinutes(t *testing.T) {
	var w Window
	w.Rotate(day)
	w.Add(1, 1800)
	for at := int64(SliceSeconds); at <= IdleSeconds; at += SliceSeconds {
		if w.Rotate(day + at); w.Active(day+at).Count() != 1 {
			t.Fatalf("a session is idle after %d s", at)
		}
	}
	now := int64(day + IdleSeconds + SliceSeconds)
	if w.Rotate(now); w.Active(now).Count() != 0 {
		t.Errorf("a session is active %d s after its request", now-day)
	}
}

func TestSet_mergesReplicas(t *testing.T) {
	all := values(3, 20_000)
	var a, b Window
	add(&a, all[:12_000], 600)
	add(&b, all[8_000:], 600)
	merged := NewSet()
	for _, w := range []*Window{&a, &b} {
		data, err := w.All().MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > MaxSetBytes {
			t.Fatalf("a set has %d bytes, but may have %d", len(data), MaxSetBytes)
		}
		var s Set
		if err := s.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		merged.Merge(&s)
	}
	if got := merged.Count(); math.Abs(float64(got-20_000)) > 0.06*20_000 {
		t.Errorf("two replicas count %d sessions, want about 20000", got)
	}
}

func TestSet_refusesHostileData(t *testing.T) {
	other, err := hyperloglog.New14().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty": {}, "another precision": other, "too long": make([]byte, MaxSetBytes+1), "cut off": {2, precision, 0, 0, 0, 0, 16, 0, 1},
		"lengths that are not there": {2, precision, 0, 1, 0xff, 0xff, 0xff, 0xff},
	} {
		s := NewSet()
		if err := s.UnmarshalBinary(data); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if s.Merge(setOf(1)); s.Count() != 1 {
			t.Errorf("%s: the set has changed", name)
		}
	}
}

func TestBudget_bounds(t *testing.T) {
	b := NewBudget(smallSize + mediumSize)
	w := &Window{Budget: b}
	add(w, values(1, 10_000), 600)
	if !w.All().Incomplete || b.Refused() == 0 {
		t.Error("values were dropped, but the set does not say so")
	}
	if b.Used() > smallSize+mediumSize {
		t.Errorf("%d bytes in use, more than the maximum", b.Used())
	}
	other := &Window{Budget: b}
	if other.Add(1, 600); !other.All().Incomplete {
		t.Error("there was no memory for a value, but the set does not say so")
	}
	b.Reset(0) // the windows were dropped
	next := &Window{Budget: b}
	if next.Add(1, 600); next.All().Incomplete || next.All().Count() != 1 {
		t.Error("memory of dropped windows is not free again")
	}
}

func TestRotate_memory(t *testing.T) {
	w := &Window{Budget: NewBudget(1 << 20)}
	now, most := int64(day), int64(0)
	for i := range uint64(100) {
		add(w, values(i, 5000), 1800)
		now += SliceSeconds
		most = max(most, w.Rotate(now))
	}
	if most > 80<<10 {
		t.Errorf("a pod with many sessions uses %d bytes, want at most 80 KiB", most)
	}
}

// A request of a session that the slice has costs no memory, whichever level the session is in.
func TestAdd_allocatesNothing(t *testing.T) {
	var w Window
	all := values(1, 5000)
	add(&w, all, 1800)
	i := 0
	if n := testing.AllocsPerRun(10_000, func() { w.Add(all[i%len(all)], 1800); i++ }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	for name, n := range map[string]int{"few": 8, "some": 60, "many": 100_000} {
		b.Run(name, func(b *testing.B) {
			var w Window
			all := values(1, n)
			add(&w, all, 1800)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					w.Add(all[i%n], 1800)
				}
			})
		})
	}
}
