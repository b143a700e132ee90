package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
)

// held is a figure of -check. It is a count or a ratio, and does not depend on the speed of the machine.
type held struct {
	Name string `json:"name"`
	// Value was measured when the file was written.
	Value float64 `json:"value"`
	// Slack is the absolute difference that is allowed in addition to allowedPercent.
	Slack float64 `json:"slack,omitempty"`
}

// allowedPercent is by how much a figure may exceed the committed one.
const allowedPercent = 20

// checkSizes are the numbers of Ingresses of -check.
var checkSizes = []int{100, 1000}

// runCheck measures the figures, and compares them with the committed ones.
func (s *settings) runCheck() error {
	now, err := s.measureHeld()
	if err != nil {
		return err
	}
	if s.update {
		text, err := json.MarshalIndent(now, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(s.figures, append(text, '\n'), 0o644)
	}
	text, err := os.ReadFile(s.figures)
	if err != nil {
		return err
	}
	var committed []held
	if err := json.Unmarshal(text, &committed); err != nil {
		return fmt.Errorf("%s: %w", s.figures, err)
	}
	return compare(committed, now)
}

// compare prints all figures, and returns an error for each that is missing or exceeds the committed one.
func compare(committed, now []held) error {
	measured := map[string]float64{}
	for _, h := range now {
		measured[h.Name] = h.Value
	}
	var errs []error
	for _, h := range committed {
		value, found := measured[h.Name]
		most := h.Value*(1+allowedPercent/100.0) + h.Slack
		fmt.Printf("%-55s %12.2f, at most %12.2f\n", h.Name, value, most)
		switch {
		case !found:
			errs = append(errs, fmt.Errorf("%s was not measured", h.Name))
		case !(value <= most): // or not a number
			errs = append(errs, fmt.Errorf("%s is %.2f, but at most %.2f is allowed: %d %% over %.2f", h.Name, value, most, allowedPercent,
				h.Value))
		}
	}
	if len(committed) != len(now) {
		errs = append(errs, fmt.Errorf("%d figures are committed, but %d were measured", len(committed), len(now)))
	}
	return errors.Join(errs...)
}

// measureHeld measures the figures: in process by Go benchmarks, and with the real API server.
func (s *settings) measureHeld() ([]held, error) {
	all, err := benchmarkFigures()
	if err != nil {
		return nil, err
	}
	s.sizes = checkSizes
	costs := map[int]changeCosts{}
	err = s.measureSizes(func(ctx context.Context, b *bench, size int) error {
		f := &figures{size: size}
		r, err := b.measureStart(ctx, f)
		if r != nil {
			defer r.stop()
		}
		if err != nil {
			return err
		}
		if costs[size], err = b.measureChanges(ctx, r, checkPeriods); err != nil {
			return err
		}
		if size == checkSizes[0] {
			return nil
		}
		if err := b.measureLeaderChange(ctx, f, r); err != nil {
			return err
		}
		all = append(all,
			held{Name: "requests for first statuses, per Ingress", Value: f.requests.statuses / float64(size)},
			held{Name: "lists at the start", Value: f.requests.lists, Slack: 2},
			held{Name: "watches at the start", Value: f.requests.watches, Slack: 2},
			held{Name: "statuses that a new leader writes", Value: f.leaderChangeRequests.statuses})
		return nil
	})
	few, many := costs[checkSizes[0]], costs[checkSizes[1]]
	ratio, _, _ := many.ratio(few)
	all = append(all,
		// The scrapes that count allocations have more of them than the changes, and not always as many.
		held{Name: "process allocations per change, 1000 over 100", Value: many.allocations / few.allocations, Slack: 1},
		// Other programs on the machine change this ratio, too.
		held{Name: "process CPU per change, 1000 over 100", Value: ratio, Slack: 1})
	return all, err
}

const publishPackage = "./pkg/publish"

// benchmarkLine matches a result of go test -bench.
var benchmarkLine = regexp.MustCompile(`(?m)^(Benchmark\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// benchmarkFigures returns counts of the Go benchmarks of package publish.
func benchmarkFigures() ([]held, error) {
	out, err := goBenchmark(publishPackage, "^BenchmarkApply$/^(100|1000)$/^path$", "200x", 1)
	if err != nil {
		return nil, err
	}
	heap, err := goBenchmark(publishPackage, "^BenchmarkHeapPerIngress$/^1000$/^a-policy-for-10$", "1x", 1)
	if err != nil {
		return nil, err
	}
	allocs := func(name string) float64 { return metricOf(out, name, "allocs/op") }
	all := []held{
		{Name: "heap bytes per Ingress", Value: metricOf(heap, "BenchmarkHeapPerIngress/1000/a-policy-for-10", "bytes/Ingress")},
		{Name: "allocations per change at 1000 Ingresses", Value: allocs("BenchmarkApply/1000/path")},
		{Name: "allocations per change, 1000 over 100", Value: allocs("BenchmarkApply/1000/path") / allocs("BenchmarkApply/100/path")},
	}
	for _, h := range all {
		if math.IsInf(h.Value, 0) || math.IsNaN(h.Value) {
			return nil, fmt.Errorf("the benchmarks do not report %s:\n%s%s", h.Name, out, heap)
		}
	}
	return all, nil
}

// goBenchmark runs benchmarks, each count times, and returns their output.
func goBenchmark(pkg, pattern, benchtime string, count int) ([]byte, error) {
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", pattern, "-benchmem", "-benchtime", benchtime,
		"-count", strconv.Itoa(count), "-timeout", "5m", pkg)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s: %w\n%s", pattern, err, out)
	}
	return out, nil
}

// metricOf returns the lowest value of a metric of a benchmark, or infinity if it is missing.
func metricOf(out []byte, name, unit string) float64 {
	lowest := math.Inf(1)
	value := regexp.MustCompile(`([0-9.e+]+) ` + regexp.QuoteMeta(unit))
	for _, line := range benchmarkLine.FindAllSubmatch(out, -1) {
		if string(line[1]) != name {
			continue
		}
		if found := value.FindSubmatch(line[2]); found != nil {
			if n, err := strconv.ParseFloat(string(found[1]), 64); err == nil {
				lowest = min(lowest, n)
			}
		}
	}
	return lowest
}
