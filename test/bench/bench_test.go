package main

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/test/programs"
)

// Requires only Limpet. Other proxies take part if they are installed, so that their configuration is tested too.
func TestBench_allWorkloads(t *testing.T) {
	if err := programs.Find(programs.Limpet); err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	s := settings{limpet: programs.Limpet.Path(), rivals: "nginx,haproxy", smoke: true}
	if err := run(&report, s); err != nil {
		t.Fatal(err)
	}
	workloads, _ := withoutWrk(allWorkloads())
	for _, w := range workloads {
		_, section, found := strings.Cut(report.String(), "\n## "+w.name+": ")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found || !strings.Contains(section, "\n| limpet ") {
			t.Errorf("the report has no result for limpet in %s:\n%s", w.name, section)
		}
	}
}
