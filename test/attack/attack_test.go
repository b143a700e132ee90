package main

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/test/programs"
)

func TestMain(m *testing.M) {
	if err := programs.Find(programs.Limpet); err != nil {
		panic(err)
	}
	if code := m.Run(); code != 0 {
		os.Exit(code)
	}
	if err := goleak.Find(); err != nil {
		panic(err)
	}
}

// A short form of make attack: it asserts memory only, which does not depend on how fast the machine is.
func TestAttack_memoryBounded(t *testing.T) {
	p := &plan{
		binary: programs.Limpet.Path(), limit: 512 << 20, ingresses: 100, connections: 30, idlePercent: 160,
		quiet: time.Second, hold: 4 * time.Second, recover: 90 * time.Second,
	}
	for _, a := range attacks[:holding] {
		t.Run(a.name, func(t *testing.T) {
			o, err := p.launch(&a)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("idle %d MiB, peak %d MiB, %d MiB %s later", o.idle>>20, o.peak>>20, o.after>>20, o.recovered)
			for _, miss := range o.memoryMisses(p) {
				t.Error(miss)
			}
		})
	}
}

// Floods hold little: half of the memory limit of the chart is enough, and each request of the honest client succeeds.
func TestFlood_memoryBoundedAndClientServed(t *testing.T) {
	p := &plan{
		binary: programs.Limpet.Path(), limit: 256 << 20, ingresses: 100, connections: 20, idlePercent: 1000,
		quiet: 200 * time.Millisecond, hold: 1500 * time.Millisecond,
	}
	for _, a := range attacks[holding:] {
		t.Run(a.name, func(t *testing.T) {
			o, err := p.launch(&a)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("idle %d MiB, peak %d MiB, %.2f cores", o.idle>>20, o.peak>>20, o.cpu)
			for _, miss := range o.memoryMisses(p) {
				t.Error(miss)
			}
			if o.attacked.failed > 0 {
				t.Errorf("%d of %d requests of the honest client failed", o.attacked.failed, o.attacked.count())
			}
		})
	}
}
