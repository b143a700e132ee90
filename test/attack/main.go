package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// plan is how large an attack is and how long its phases take.
type plan struct {
	binary      string
	only        string // part of the names of the attacks to launch
	limit       int64  // of memory, as in the chart
	ingresses   int
	connections int
	idlePercent int64         // of the idle memory, that may be left after it
	quiet, hold time.Duration // before the attack, and of it
	recover     time.Duration // at most, after it
}

// The targets of docs/security.md.
const (
	peakPercent   = 60 // of the limit
	latencyFactor = 3
	idlePercent   = 120
)

func main() {
	p := plan{idlePercent: idlePercent}
	flag.StringVar(&p.binary, "limpet", "bin/limpet", "`file` of the binary to attack")
	flag.StringVar(&p.only, "only", "", "launch the attacks whose name contains this `text`")
	flag.Int64Var(&p.limit, "limit", 512<<20, "memory limit in `bytes`; the chart sets 512 MiB")
	flag.IntVar(&p.ingresses, "ingresses", 100, "`number` of Ingresses that are served")
	flag.IntVar(&p.connections, "connections", 100, "`number` of attacking connections")
	flag.DurationVar(&p.quiet, "quiet", 10*time.Second, "how long the honest client is alone")
	flag.DurationVar(&p.hold, "hold", 30*time.Second, "how long an attack lasts")
	flag.DurationVar(&p.recover, "recover", time.Minute, "how long memory may take to fall after it")
	flag.Parse()
	if err := run(&p); err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func run(p *plan) error {
	fmt.Println("| Attack | Connections | Idle | Peak | After | CPU | Honest p99, quiet | under attack | Failed |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
	missed := 0
	for _, a := range attacks {
		if !strings.Contains(a.name, p.only) {
			continue
		}
		o, err := p.launch(&a)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		fmt.Println(o.row(p, &a))
		for _, miss := range o.misses(p) {
			missed++
			fmt.Println("\nMissed:", miss)
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d targets were missed", missed)
	}
	return nil
}
