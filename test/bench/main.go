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

// settings is what one run of the bench does.
type settings struct {
	limpet    string // the binary
	baseline  string // another build of it to compare with, empty: none
	caddy     string // the binary
	workloads string // names with commas, empty: all
	rivals    string // names with commas, empty: all
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
	flag.StringVar(&s.limpet, "limpet", "bin/limpet", "the limpet `binary`")
	flag.StringVar(&s.baseline, "baseline", "", "another limpet `binary` to compare with")
	flag.StringVar(&s.caddy, "caddy", "caddy", "the caddy `binary`")
	flag.StringVar(&s.workloads, "workloads", "", "the workloads to run, `names` with commas; all by default")
	flag.StringVar(&s.rivals, "rivals", "", "the rivals to run beside limpet, `names` with commas; all by default")
	flag.IntVar(&s.rounds, "rounds", 9, "rounds, each of which runs every proxy once")
	flag.DurationVar(&s.duration, "duration", time.Second, "how long a proxy is driven in a round")
	flag.IntVar(&s.clients, "clients", 64, "clients at once, at most")
	flag.IntVar(&s.idle, "idle", 10000, "idle connections whose memory is counted")
	flag.StringVar(&s.markdown, "markdown", "", "write the report to this `file` too, and keep what it says of profiles")
	flag.BoolVar(&s.smoke, "smoke", false, "only see whether every workload runs: one short round, nothing pinned")
	flag.Parse()
	s.flags = flagsGiven()
	if err := run(os.Stdout, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// flagsGiven are the flags of this run, for the command that repeats it; where programs lie is left out.
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

// run measures, and writes the report to out.
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

// choose gives those of all that the names with commas ask for, in the order of all; all of them for no names.
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
			return nil, fmt.Errorf("%q is not known; there are %s", one, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// bench is one run.
type bench struct {
	settings
	out      io.Writer
	rivals   []*rival
	absent   []string // which rivals are not here, and why
	dir      string
	identity *identity
	pods     *pods
	findings []*finding
}

// moreFiles is how many a process opens at most beside the idle connections.
const moreFiles = 2000

func (b *bench) prepare() (err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if need := uint64(b.idle + moreFiles); limit.Max < need {
		return fmt.Errorf("%d idle connections need %d open files and the limit is %d (ulimit -n)", b.idle, need, limit.Max)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit.Max, Max: limit.Max}); err != nil {
		return err // what was set is inherited by the proxies
	}
	if !b.smoke {
		if err := pin(os.Getpid(), loadCore); err != nil {
			return err
		}
		runtime.GOMAXPROCS(1)
		debug.SetGCPercent(400) // the load's own garbage is not what is measured
	}
	if b.identity, err = newIdentity(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "limpet-bench-"); err != nil {
		return err
	}
	b.pods, err = startPods()
	return err
}

func (b *bench) close() {
	b.pods.close()
	os.RemoveAll(b.dir)
}
