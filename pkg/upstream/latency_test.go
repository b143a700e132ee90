package upstream

import (
	"math"
	"testing"
	"time"
)

func TestLatency_followsPeaksAndDecays(t *testing.T) {
	var l latency
	now := time.Unix(1_800_000_000, 0).UnixNano()
	after := func(d time.Duration) { now += d.Nanoseconds() }
	expect := func(what string, want time.Duration) {
		t.Helper()
		if got := l.valueAt(now); math.Abs(got-float64(want)) > 0.01*float64(want) {
			t.Errorf("%s: got %v, want %v", what, time.Duration(got), want)
		}
	}
	if l.valueAt(now) != 0 {
		t.Error("the latency is known without a measurement")
	}
	l.record(now, 10*time.Millisecond)
	expect("the first", 10*time.Millisecond)
	after(time.Millisecond)
	l.record(now, 100*time.Millisecond)
	expect("a peak", 100*time.Millisecond)
	l.record(now, time.Millisecond)
	expect("one fast response", 100*time.Millisecond)
	after(latencyDecay)
	expect("later", 36788*time.Microsecond)
	l.record(now, time.Millisecond)
	expect("a fast response later", 37420*time.Microsecond)
	for range 1000 {
		after(100 * time.Millisecond)
		l.record(now, time.Millisecond)
	}
	expect("many fast responses", time.Millisecond)
	l.record(now-time.Hour.Nanoseconds(), time.Millisecond) // the clock was set back
	if got := l.valueAt(now); got < 0 || got > float64(time.Second) {
		t.Errorf("after a change of the clock: %v", got)
	}
}

func TestLatency_allocatesNothing(t *testing.T) {
	p := poolOf("a b")
	e := p.Set().Endpoints()[0]
	if n := testing.AllocsPerRun(100, func() { e.RecordLatency(time.Millisecond) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if p.Set().Latency(0, time.Now().UnixNano()) == 0 || p.Set().Latency(1, time.Now().UnixNano()) != 0 {
		t.Error("the latency belongs to another endpoint")
	}
}

func BenchmarkLatency(b *testing.B) {
	p := poolOf("a b")
	e, now := p.Set().Endpoints()[0], time.Now().UnixNano()
	b.Run("record", func(b *testing.B) {
		for b.Loop() {
			e.RecordLatency(time.Millisecond)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			p.Set().Latency(0, now)
		}
	})
}
