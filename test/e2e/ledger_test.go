//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// move is a session that moved to another pod, or a stream that ended.
type move struct {
	at   time.Time
	from string
	lost bool // whether a basket was lost
}

// ledger records the events of all clients in a phase.
type ledger struct {
	mu       sync.Mutex
	requests int
	failures []error
	moves    []move
	cuts     []move
}

func (l *ledger) request() { l.do(func() { l.requests++ }) }

func (l *ledger) fail(err error) {
	l.do(func() {
		l.requests, l.failures = l.requests+1, append(l.failures, fmt.Errorf("%s: %w", stamp(time.Now()), err))
	})
}

func (l *ledger) moved(m move) { l.do(func() { l.moves = append(l.moves, m) }) }
func (l *ledger) cut(m move)   { l.do(func() { l.cuts = append(l.cuts, m) }) }

func (l *ledger) do(entry func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry()
}

func stamp(at time.Time) string { return at.Format("15:04:05.000") }

// turn returns the records of the phase, and starts the next phase.
func (l *ledger) turn() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	page := &ledger{requests: l.requests, failures: l.failures, moves: l.moves, cuts: l.cuts}
	l.requests, l.failures, l.moves, l.cuts = 0, nil, nil, nil
	return page
}

// row is the result of one phase. Needless events happened while the pod still served.
type row struct {
	phase                      string
	seconds                    float64
	requests, failed           int
	moved, lost, needlessMoves int
	cut, needlessCuts          int
}

// account compares the records with the lifetimes of pods, and reports violations.
func (l *ledger) account(t *testing.T, p *phase, took time.Duration, pods *podLog) row {
	t.Helper()
	r := row{phase: p.name, seconds: took.Seconds(), requests: l.requests, failed: len(l.failures), moved: len(l.moves), cut: len(l.cuts)}
	for _, m := range l.moves {
		if m.lost {
			r.lost++
		}
		if pods.served(m.from, m.at) {
			r.needlessMoves++
			if p.handsOff {
				continue
			}
			t.Errorf("%s: a session left pod %s, which still served (%s)", stamp(m.at), m.from, pods.fate(m.from))
		}
	}
	for _, m := range l.cuts {
		if pods.served(m.from, m.at) && !p.limpetStops {
			r.needlessCuts++
			t.Errorf("%s: a stream of pod %s was cut, which still served (%s)", stamp(m.at), m.from, pods.fate(m.from))
		}
	}
	for _, err := range l.failures[:min(len(l.failures), 10)] {
		t.Errorf("a request failed: %v", err)
	}
	return r
}

// printTable writes the results to standard output, even if the test passes.
func printTable(rows []row) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "phase\tseconds\trequests\tfailed\tsessions moved\tbaskets lost\tof pods that served\tstreams cut\tof pods that served\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n",
			r.phase, r.seconds, r.requests, r.failed, r.moved, r.lost, r.needlessMoves, r.cut, r.needlessCuts)
	}
	w.Flush()
	fmt.Fprint(os.Stdout, b.String())
}
