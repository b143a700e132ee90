package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// plan is how large an attack is and how long its phases take.
type plan struct {
	binary      string
	limit       int64 // of memory, as in the chart
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
	fmt.Println("| Attack | Idle | Peak | After | Honest p99, quiet | under attack | Failed |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|")
	missed := 0
	for _, a := range attacks {
		o, err := p.launch(&a)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		fmt.Printf("| %s | %d MiB | %d MiB (%d %%) | %d MiB after %s | %s | %s (x%.1f) | %d of %d |\n", a.name, o.idle>>20,
			o.peak>>20, o.peak*100/p.limit, o.after>>20, o.recovered.Round(time.Second), o.quiet.p99(), o.attacked.p99(),
			o.slowdown(), o.attacked.failed, o.attacked.count())
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
