package main

import (
	"fmt"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/memory"
)

// memoryLimit is the memory limit of the process in bytes, which main has told Go about. Zero means that there is none.
var memoryLimit int64

// memoryBudget is the flag of how much memory clients may make Limpet hold.
type memoryBudget struct {
	bytes int64 // 0: derived from the memory limit
	none  bool
}

const (
	budgetAuto  = "auto"
	budgetNone  = "none"
	leastBudget = 16 << 20
)

func (m *memoryBudget) register(f flagSet) {
	f.Var(m, "memory-budget", "The maximum number of `bytes` of buffers, heads and kept bodies that clients may make Limpet hold."+
		" Beyond it, new requests are refused. auto derives it from the memory limit of the container, and none sets no limit.")
}

func (m *memoryBudget) String() string {
	switch {
	case m.none:
		return budgetNone
	case m.bytes == 0:
		return budgetAuto
	}
	return strconv.FormatInt(m.bytes, 10)
}

// Type names the kind of value in the help text, as pflag wants.
func (m *memoryBudget) Type() string { return "bytes" }

func (m *memoryBudget) Set(s string) error {
	switch s {
	case budgetAuto:
		*m = memoryBudget{}
		return nil
	case budgetNone:
		*m = memoryBudget{none: true}
		return nil
	}
	bytes, err := strconv.ParseInt(s, 10, 64)
	if err != nil || bytes < leastBudget {
		return fmt.Errorf("it must be auto, none, or a number of bytes from %d", leastBudget)
	}
	*m = memoryBudget{bytes: bytes}
	return nil
}

// tuner returns what keeps the Budget to the flag.
func (m *memoryBudget) tuner(limit int64) *memory.Tuner {
	switch {
	case m.none:
		return &memory.Tuner{Budget: memory.NewBudget(0)}
	case m.bytes > 0:
		return &memory.Tuner{Budget: memory.NewBudget(m.bytes)}
	}
	t := &memory.Tuner{Budget: memory.NewBudget(memory.DefaultBudget), Limit: limit}
	t.Start()
	return t
}

// reportMemory shows in the metrics what the Budget says.
func (n *node) reportMemory() {
	b := n.memory.Budget
	n.metrics.Memory(b.Limit(), b.Used(), b.Refused())
}
