package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/test/sandbox"
)

// settings configures one run of the suite.
type settings struct {
	limpet, caddy       string // the binaries
	cluster             clusterSettings
	scenarios, subjects string // comma-separated names; empty for all
	sessions            int
	rounds              int           // of each cell
	soak                time.Duration // instead of scenarios
	rest                float64       // part of a soak without work
	markdown            string        // the file that the report is written to; empty disables it
	verbose             io.Writer
}

func main() {
	var s settings
	var verbose bool
	flag.StringVar(&s.limpet, "limpet", "bin/limpet", "The limpet `binary`.")
	flag.StringVar(&s.caddy, "caddy", "caddy", "The caddy `binary`.")
	flag.StringVar(&s.scenarios, "scenario", "", "Comma-separated `names` of scenarios. Defaults to all.")
	flag.StringVar(&s.subjects, "subject", "", "Comma-separated `names` of subjects. Defaults to all.")
	flag.IntVar(&s.sessions, "sessions", 300, "Number of sessions of each scenario.")
	flag.IntVar(&s.rounds, "rounds", 3, "Number of runs of each cell. The cell shows the range.")
	flag.StringVar(&s.markdown, "markdown", "", "Also write the report to this `file`.")
	flag.DurationVar(&s.soak, "soak", 0,
		"Instead of scenarios, change everything around Limpet for this `time`, and compare what it holds.")
	flag.Float64Var(&s.rest, "rest", 0, "The `part` of a soak without work, from 0 to 0.9.")
	s.cluster.annotations = annotations{}
	flag.StringVar(&s.cluster.kubeconfig, "kubeconfig", "", "Test a controller in the cluster of this `file`: see README.md.")
	flag.StringVar(&s.cluster.name, "name", "cluster", "The `name` of that controller in the table.")
	flag.StringVar(&s.cluster.class, "class", "", "The `name` of its IngressClass.")
	flag.StringVar(&s.cluster.address, "address", "", "Its `ip:port` for HTTP.")
	flag.StringVar(&s.cluster.podsAddress, "pods", "", "An IP `address` of this machine that it can reach.")
	flag.Var(s.cluster.annotations, "annotation", "An annotation of the Ingresses, as `name=value`. May be repeated.")
	flag.StringVar(&s.cluster.edit, "edit", "", "The `annotation=format` of a timeout in seconds, for the scenario related.")
	flag.BoolVar(&verbose, "v", false, "Print the first moves and failures of each cell.")
	flag.Parse()
	if verbose {
		s.verbose = os.Stderr
	}
	program := func() int {
		if err := suite(os.Stdout, s); err != nil {
			fmt.Fprintln(os.Stderr, "stay:", err)
			return 1
		}
		return 0
	}
	if s.cluster.kubeconfig != "" { // which cannot be reached from a sandbox
		os.Exit(program())
	}
	os.Exit(sandbox.Run(program))
}

// cell is the result of one scenario for one subject.
type cell struct {
	rounds []*counts // empty if the scenario was left out
	cannot string    // the reason for that
}

// results are all cells of a run.
type results struct {
	settings
	played   []scenario
	subjects []subject
	absent   []string // subjects that are not installed, with the reason
	cells    map[string]map[string]cell
}

// suite runs the chosen scenarios for the chosen subjects, and writes the report to out.
func suite(out io.Writer, s settings) error {
	if s.soak > 0 {
		return reportSoak(out, s)
	}
	all, err := collect(s)
	if err != nil {
		return err
	}
	all.table(out)
	if s.markdown == "" {
		return nil
	}
	f, err := os.Create(s.markdown)
	if err != nil {
		return err
	}
	all.page(f)
	return f.Close()
}

// collect plays the scenarios.
func collect(s settings) (*results, error) {
	all := &results{settings: s, cells: map[string]map[string]cell{}}
	dir, err := os.MkdirTemp("", "limpet-stay-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // the workers of nginx are another user
		return nil, err
	}
	all.played, err = choose(s.scenarios, scenarios(), func(c scenario) string { return c.name })
	if err != nil {
		return nil, err
	}
	if err := all.findSubjects(dir); err != nil {
		return nil, err
	}
	var failures []error
	for _, subject := range all.subjects {
		name := subject.about().name
		all.cells[name] = map[string]cell{}
		for _, scenario := range all.played {
			done, err := playRounds(subject, scenario, s)
			if err != nil {
				failures = append(failures, fmt.Errorf("%s, %s: %w", name, scenario.name, err))
			}
			all.cells[name][scenario.name] = done
		}
	}
	return all, errors.Join(failures...)
}

// playRounds runs one cell as often as the settings say, with new processes each time.
func playRounds(s subject, c scenario, with settings) (cell, error) {
	if reason := s.cannot(c.name); reason != "" {
		return cell{cannot: reason}, nil
	}
	var done cell
	rounds := max(1, with.rounds)
	if s.about().slow {
		rounds = 1
	}
	for range rounds {
		counted, err := play(s, c, with)
		if err != nil {
			return done, err
		}
		done.rounds = append(done.rounds, counted)
	}
	return done, nil
}

// play runs a scenario once.
func play(s subject, c scenario, with settings) (*counts, error) {
	began := time.Now()
	r := newRun(s, c, with.sessions, with.verbose)
	defer r.close()
	if with.verbose != nil {
		fmt.Fprintf(with.verbose, "%s, %s\n", s.about().name, c.name)
	}
	if r.err == nil {
		c.play(r)
	}
	if with.verbose != nil {
		fmt.Fprintf(with.verbose, "  %s in %.1f s\n", &r.counts, time.Since(began).Seconds())
	}
	return &r.counts, r.err
}

// candidate is a subject and the program that it needs.
type candidate struct {
	subject       subject
	program, hint string
}

// findSubjects chooses the subjects whose programs are installed.
func (a *results) findSubjects(dir string) error {
	if a.cluster.kubeconfig != "" {
		if err := a.cluster.check(); err != nil {
			return err
		}
		only, err := newInCluster(a.cluster)
		a.subjects = []subject{only}
		return err
	}
	chosen, err := choose(a.settings.subjects, []candidate{
		{&programs{driver: limpet{path: a.limpet, store: &redis{}}, dir: dir}, a.limpet, "make build builds it"},
		{&programs{driver: limpet{path: a.limpet, store: &redis{}, busy: true}, dir: dir}, a.limpet, "make build builds it"},
		{&programs{driver: nginx{}, dir: dir}, "nginx", "Debian has it in nginx"},
		{&programs{driver: haproxy{}, dir: dir}, "haproxy", "Debian has it in haproxy"},
		{&programs{driver: haproxyTable{}, dir: dir}, "haproxy", "Debian has it in haproxy"},
		{&programs{driver: caddy{a.caddy}, dir: dir}, a.caddy, "hack/tools/build.sh caddy builds it"},
		{&model{}, os.Args[0], ""},
		{&model{balanced: true}, os.Args[0], ""},
	}, func(c candidate) string { return c.subject.about().name })
	for _, c := range chosen {
		if _, err := exec.LookPath(c.program); err != nil {
			a.absent = append(a.absent, fmt.Sprintf("%s: program %s not found; %s", c.subject.about().name, c.program, c.hint))
			continue
		}
		a.subjects = append(a.subjects, c.subject)
	}
	return err
}

// choose returns the elements of all with the given comma-separated names, in the order of all. Without names, it returns all.
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
