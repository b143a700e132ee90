package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestCollector_percent(t *testing.T) {
	for alive, want := range map[uint64]int{
		0:         800, // before the first collection
		1 << 20:   800,
		4 << 20:   400,
		15 << 20:  105, // 106.7
		32 << 20:  50,
		100 << 20: 50,
		160 << 20: 40,
		1 << 30:   25,
		1 << 40:   25,
	} {
		if got := percentFor(alive); got != want {
			t.Errorf("with %d bytes alive: %d %%, want %d", alive, got, want)
		}
	}
}

func TestCollector_afterEachCollection(t *testing.T) {
	called := make(chan struct{}, 1)
	afterEachCollection(func() {
		select {
		case called <- struct{}{}:
		default: // the test is over
		}
	})
	for i := range 4 { // immediately, and after three collections
		select {
		case <-called:
		case <-time.After(10 * time.Second):
			t.Fatalf("not called after %d collections", i)
		}
		runtime.GC()
	}
}

// While manifests are read, collections are rare. Afterwards, the percentage depends on the live heap again.
func TestCollector_whileLoading(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(70)
	defer debug.SetGCPercent(before)
	whileLoading(func() {
		if got := debug.SetGCPercent(loadingPercent); got != loadingPercent || !isLoading.Load() {
			t.Errorf("GC percentage %d while manifests are read, want %d", got, loadingPercent)
		}
	})
	if got := debug.SetGCPercent(70); got != 70 || isLoading.Load() {
		t.Errorf("GC percentage %d after manifests were read, want 70", got)
	}
}
