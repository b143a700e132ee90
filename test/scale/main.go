package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/test/controlplane"
	"github.com/limpet-dev/limpet/test/sandbox"
)

// settings configures one run.
type settings struct {
	limpet   string // the binary
	sizes    []int  // numbers of Ingresses, ascending
	markdown string // the file whose generated part is replaced; empty to write no file
	figures  string // the file with the committed figures
	check    bool
	update   bool
	simulate bool
	profiles string // the directory for profiles; empty to write none
	// memoryLimit is --memory-limit of Limpet, in bytes.
	memoryLimit int64

	kubernetes string // the version of the API server, once known
}

func main() {
	s := settings{sizes: []int{100, 1000, 10_000}}
	flag.StringVar(&s.limpet, "limpet", "bin/limpet", "The limpet `binary`.")
	flag.Func("sizes", "Comma-separated `numbers` of Ingresses, ascending. Defaults to 100,1000,10000.", s.setSizes)
	flag.StringVar(&s.markdown, "markdown", "", "Also write the report into this `file`, between its markers.")
	flag.StringVar(&s.figures, "figures", "test/scale/figures.json", "The `file` with the committed figures.")
	flag.BoolVar(&s.check, "check", false, "Compare counts and ratios with the committed figures, up to 1,000 Ingresses.")
	flag.BoolVar(&s.update, "update", false, "Write the figures of -check to their file.")
	flag.BoolVar(&s.simulate, "simulate", false, "Simulate replicas and sessions, without any process.")
	flag.StringVar(&s.profiles, "profiles", "", "Write profiles of Limpet to this `directory`: of the heap, and of the CPU during"+
		" changes.")
	flag.Int64Var(&s.memoryLimit, "memory-limit", 512<<20, "The memory limit of Limpet in `bytes`. The chart sets 512 MiB.")
	flag.Parse()
	os.Exit(s.run())
}

func (s *settings) setSizes(text string) error {
	s.sizes = nil
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > maxIngresses {
			return fmt.Errorf("%q is not a number from 1 to %d", word, maxIngresses)
		}
		if len(s.sizes) > 0 && n <= s.sizes[len(s.sizes)-1] {
			return fmt.Errorf("%d does not exceed the number before it", n)
		}
		s.sizes = append(s.sizes, n)
	}
	return nil
}

// run runs the chosen mode and returns the exit code.
func (s *settings) run() int {
	if s.simulate {
		return exitCode(simulate(os.Stdout))
	}
	if err := controlplane.Find(); err != nil { // nothing can be downloaded inside the sandbox
		return exitCode(err)
	}
	return sandbox.Run(func() int {
		if s.check {
			return exitCode(s.runCheck())
		}
		return exitCode(s.runBench())
	})
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "scale:", err)
	return 1
}
