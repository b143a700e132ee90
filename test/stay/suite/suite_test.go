package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	testprograms "github.com/limpet-dev/limpet/test/programs"
	"github.com/limpet-dev/limpet/test/sandbox"
)

func TestMain(m *testing.M) {
	if err := testprograms.Find(testprograms.Limpet); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	sandbox.Main(m, nil)
}

// Every scenario but parallel is about a promise. Parallel first requests are split unless a policy picks by hash.
func TestSuite_limpetLosesNothing(t *testing.T) {
	all, err := collect(settings{limpet: testprograms.Limpet.Path(), subjects: "limpet", sessions: 60})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all.played {
		rounds := all.cells["limpet"][c.name].rounds
		if len(rounds) != 1 || rounds[0].requests < 60 {
			t.Errorf("%s: %+v, want at least one request of each session", c.name, rounds)
			continue
		}
		counts := rounds[0]
		for _, l := range counts.losses() {
			if l.count > 0 && (c.name != burst || l.name != "split bursts") {
				t.Errorf("%s: %s %d", c.name, l.name, l.count)
			}
		}
	}
}

// Filters and a thousand other Ingresses change nothing about sessions.
func TestSuite_busyLimpetLosesNothing(t *testing.T) {
	all, err := collect(settings{limpet: testprograms.Limpet.Path(), subjects: "limpet-busy", sessions: 60,
		scenarios: "scale-3-6,rolling-grace,related,two-backends,websockets,store,adopt"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all.played {
		if got := all.cells["limpet-busy"][c.name].text(); got != "0" {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// Goroutines, files, memory and pools do not grow with the number of changes.
func TestSoak_holdsNothing(t *testing.T) {
	lost, held, err := soak(testprograms.Limpet.Path(), 15*time.Second, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := lost.String(); got != "0" {
		t.Errorf("lost: %s", got)
	}
	for _, g := range growths(held) {
		if !g.isFlat() {
			t.Errorf("%s: %.0f in the second quarter of %d iterations, %.0f in the last one", g.name, g.early, len(held), g.late)
		}
	}
}

// The model in balanced mode loses sessions in known ways. A suite that counts nothing would not see them.
func TestSuite_countsLosses(t *testing.T) {
	all, err := collect(settings{sessions: 60, subjects: "ingress-nginx,ingress-nginx-balanced",
		scenarios: "scale-1-2,rolling-grace,not-ready,two-backends,tampered,parallel,ip-reused"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		subject, scenario string
		lost              bool
	}{
		{"ingress-nginx-balanced", "scale-1-2", true},
		{"ingress-nginx", "scale-1-2", false},
		{"ingress-nginx", "rolling-grace", true},
		{"ingress-nginx", "ip-reused", true},
		{"ingress-nginx", "two-backends", false},
		{"ingress-nginx", "tampered", false},
	} {
		got := all.cells[c.subject][c.scenario].text()
		if (got != "0") != c.lost {
			t.Errorf("%s, %s: %s", c.subject, c.scenario, got)
		}
	}
	var page strings.Builder
	all.page(&page)
	if text := page.String(); strings.Contains(text, "Not explained") || !strings.Contains(text, "| moved ") {
		t.Errorf("a loss has no mechanism, or is missing:\n%s", text)
	}
}
