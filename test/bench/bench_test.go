package main

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/programs"
)

// TestBench_allWorkloads needs Limpet only. The rivals that it names take part where they are installed, so that what
// they are told does not rot either.
func TestBench_allWorkloads(t *testing.T) {
	if err := programs.Find(programs.Limpet); err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	s := settings{limpet: programs.Limpet.Path(), rivals: "nginx,haproxy", smoke: true}
	if err := run(&report, s); err != nil {
		t.Fatal(err)
	}
	for _, w := range allWorkloads() {
		_, section, found := strings.Cut(report.String(), "\n## "+w.name+": ")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found || !strings.Contains(section, "\n| limpet ") {
			t.Errorf("the report says nothing of limpet in %s:\n%s", w.name, section)
		}
	}
}
