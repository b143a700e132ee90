package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/memory"
)

// memoryOptions are the flags for the memory limit of the process and the memory budget of clients.
type memoryOptions struct {
	limit  int64 // zero means the lower one of the container's limit and GOMEMLIMIT
	budget memoryBudget
}

func (m *memoryOptions) register(f flagSet) {
	f.number(&m.limit, 0, 1<<50, "memory-limit", "The memory limit of the process, in `bytes`."+
		" Zero uses the lower one of the container's limit and GOMEMLIMIT.")
	m.budget.register(f)
}

// tuner returns the Tuner that enforces the flags.
func (m *memoryOptions) tuner() *memory.Tuner {
	limit, keepGo := m.limit, false
	if limit == 0 {
		limit, keepGo = memory.ProcessLimit(), os.Getenv("GOMEMLIMIT") != ""
	}
	t := m.budget.tuner(limit)
	t.KeepGoLimit = keepGo
	return t
}

// memoryBudget is the value of --memory-budget.
type memoryBudget struct {
	bytes int64 // zero means derived from the memory limit
	none  bool
}

const (
	budgetAuto = "auto"
	budgetNone = "none"
	minBudget  = 16 << 20
)

func (m *memoryBudget) register(f flagSet) {
	f.Var(m, "memory-budget", "The maximum number of `bytes` of memory for client buffers, heads and bodies kept for retries."+
		" Above it, new requests are refused. auto derives it from the memory limit of the container. none disables the limit.")
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
	if err != nil || bytes < minBudget {
		return fmt.Errorf("it must be auto, none, or a number of bytes from %d", minBudget)
	}
	*m = memoryBudget{bytes: bytes}
	return nil
}

// tuner returns the Tuner that enforces the flag.
func (m *memoryBudget) tuner(limit int64) *memory.Tuner {
	switch {
	case m.none:
		return &memory.Tuner{Budget: memory.NewBudget(0), Limit: limit, KeepBudget: true}
	case m.bytes > 0:
		return &memory.Tuner{Budget: memory.NewBudget(m.bytes), Limit: limit, KeepBudget: true}
	}
	return &memory.Tuner{Budget: memory.NewBudget(memory.DefaultBudget), Limit: limit}
}

// reportMemory updates the metrics of the memory budget.
func (n *node) reportMemory() {
	b := n.memory.Budget
	n.metrics.Memory(b.Limit(), b.Used(), b.Refused())
}
