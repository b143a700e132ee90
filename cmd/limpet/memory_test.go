package main

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/memory"
)

func TestMemoryBudget_flag(t *testing.T) {
	for text, want := range map[string]int64{"auto": memory.DefaultBudget, "none": 0, "16777216": 16 << 20} {
		var m memoryBudget
		if err := m.Set(text); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := m.tuner(0).Budget.Limit(); got != want || m.String() != text {
			t.Errorf("%s is a budget of %d, and is called %s", text, got, &m)
		}
	}
	for _, text := range []string{"", "0", "-1", "16777215", "512Mi"} {
		if new(memoryBudget).Set(text) == nil {
			t.Errorf("%q is accepted", text)
		}
	}
	var m memoryBudget
	tuner := m.tuner(512 << 20)
	tuner.KeepGoLimit = true
	tuner.Start()
	if got := tuner.Budget.Limit(); got < 100<<20 || got > 160<<20 {
		t.Errorf("with a limit of 512 MiB the budget is %d", got)
	}
}
