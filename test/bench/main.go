package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings configures one run.
type settings struct {
	limpet    string // the binary
	baseline  string // another limpet binary to compare with; empty for none
	caddy     string // the binary
	workloads string // comma-separated names; empty for all
	rivals    string // comma-separated names; empty for all
	rounds    int
	duration  time.Duration // of a round
	clients   int           // at most, of the other workloads
	idle      int           // connections of the workloads that count memory
	markdown  string        // the file that the report is written to, empty: none
	smoke     bool
	flags     string // as the command line had them
}

func main() {
	var s settings
	flag.StringVar(&s.limpet, "limpet", "bin/limpet", "The limpet `binary`.")
	flag.StringVar(&s.baseline, "baseline", "", "Another limpet `binary` to compare with.")
	flag.StringVar(&s.caddy, "caddy", "caddy", "The caddy `binary`.")
	flag.StringVar(&s.workloads, "workloads", "", "Comma-separated `names` of the workloads to run. Defaults to all.")
	flag.StringVar(&s.rivals, "rivals", "", "Comma-separated `names` of the proxies to compare with. Defaults to all.")
	flag.IntVar(&s.rounds, "rounds", 9, "Number of rounds. Each round runs every proxy once.")
	flag.DurationVar(&s.duration, "duration", time.Second, "Duration of a round for each proxy.")
	flag.IntVar(&s.clients, "clients", 64, "Maximum number of concurrent clients.")
	flag.IntVar(&s.idle, "idle", 10000, "Number of idle connections in the memory workloads.")
	flag.StringVar(&s.markdown, "markdown", "", "Also write the report to this `file`, and keep its section about profiles.")
	flag.BoolVar(&s.smoke, "smoke", false, "Only check that every workload runs: one short round without pinning.")
	flag.Parse()
	s.flags = flagsGiven()
	if err := run(os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// flagsGiven returns the flags of this run, without paths of programs, for the command that repeats it.
func flagsGiven() string {
	var words []string
	flag.Visit(func(f *flag.Flag) {
		if f.Name != "limpet" && f.Name != "caddy" {
			words = append(words, "-"+f.Name+"="+f.Value.String())
		}
	})
	if words == nil {
		return ""
	}
	return fmt.Sprintf(" BENCH_FLAGS=%q", strings.Join(words, " "))
}

// run runs the benchmark and writes the report to out.
func run(out io.Writer, s settings) error {
	if s.smoke {
		s.rounds, s.duration, s.clients, s.idle = 1, time.Millisecond, 4, 20
	}
	chosen, err := choose(s.workloads, allWorkloads(), func(w *workload) string { return w.name })
	if err != nil {
		return err
	}
	rivals, absent, err := present(s)
	if err != nil {
		return err
	}
	chosen, noWrk := withoutWrk(chosen)
	if noWrk {
		absent = append(absent, wrkHint)
	}
	b := &bench{settings: s, out: out, rivals: rivals, absent: absent}
	if err := b.prepare(); err != nil {
		return err
	}
	defer b.close()
	var failures []error
	for _, w := range chosen {
		fmt.Fprintf(os.Stderr, "bench: %s\n", w.title)
		found := b.measure(w)
		b.findings = append(b.findings, found)
		failures = append(failures, found.failures...)
	}
	return errors.Join(append(failures, b.publish())...)
}

// choose returns the elements of all with the given comma-separated names, in the order of all. Without names, it
// returns all.
func choose[T any](names string, all []T, name func(T) string) ([]T, error) {
	if names == "" {
		return all, nil
	}
	wanted := strings.Split(names, ",")
	var known []string
	var chosen []T
	for _, one := range all {
		known = append(known, name(one))
		if slices.Contains(wanted, name(one)) {
			chosen = append(chosen, one)
		}
	}
	for _, one := range wanted {
		if !slices.Contains(known, one) {
			return nil, fmt.Errorf("unknown name %q; known are %s", one, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// bench is one run.
type bench struct {
	settings
	out      io.Writer
	rivals   []*rival
	absent   []string // missing proxies, with the reason
	dir      string
	identity *identity
	pods     *pods
	findings []*finding
}

// moreFiles is the maximum number of open files in addition to the idle connections.
const moreFiles = 2000

func (b *bench) prepare() (err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if need := uint64(b.idle + moreFiles); limit.Max < need {
		return fmt.Errorf("%d idle connections need %d open files, but the limit is %d (ulimit -n)", b.idle, need, limit.Max)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit.Max, Max: limit.Max}); err != nil {
		return err // the limit is inherited by the proxies
	}
	if !b.smoke {
		if err := pin(os.Getpid(), loadCore); err != nil {
			return err
		}
		runtime.GOMAXPROCS(1)
		debug.SetGCPercent(400) // reduce garbage collection in the clients
	}
	if b.identity, err = newIdentity(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "limpet-bench-"); err != nil {
		return err
	}
	// The worker of nginx, which is another user, writes its cache there.
	if err := os.Chmod(b.dir, 0o711); err != nil { //nolint:gosec // see above
		return err
	}
	b.pods, err = startPods()
	return err
}

func (b *bench) close() {
	b.pods.close()
	os.RemoveAll(b.dir)
}
