package main

import (
	"fmt"
	"io"
	"math"
)

// point is one benchmark of the data plane.
type point struct {
	name      string
	benchmark string
	target    float64 // nanoseconds at most; zero sets no target
}

var dataPlane = []point{
	{"Route match, 10,000 hosts", "BenchmarkScaleMatch/10000_hosts", 200},
	{"Route match, prefix, 1,000 paths on one host", "BenchmarkScaleMatch/1000_paths,_prefix", 200},
	{"Route match, exact, 1,000 paths on one host", "BenchmarkScaleMatch/1000_paths,_exact", 200},
	{"Bind a known session, token opened, 3 endpoints", "BenchmarkScaleBind/token/3", 0},
	{"Bind a known session, token opened, 1,000 endpoints", "BenchmarkScaleBind/token/1000", 0},
	{"Rendezvous, 20 endpoints", "BenchmarkScaleBind/rendezvous/20", 0},
	{"Rendezvous, 1,000 endpoints", "BenchmarkScaleBind/rendezvous/1000", 2000},
	{"LeastSessions, 20 endpoints", "BenchmarkScaleBind/LeastSessions/20", 0},
	{"LeastSessions, 1,000 endpoints", "BenchmarkScaleBind/LeastSessions/1000", 2000},
	{"LeastRequests, 20 endpoints", "BenchmarkScaleBind/LeastRequests/20", 0},
	{"LeastRequests, 1,000 endpoints", "BenchmarkScaleBind/LeastRequests/1000", 2000},
}

// reportDataPlane runs the benchmarks of package routing and writes their table. The figures are the CPU time of the fastest of
// several short runs, because other programs on the machine make the caches cold.
func reportDataPlane(w io.Writer) error {
	out, err := goBenchmark("./pkg/routing", "^BenchmarkScale", "50ms", 5)
	if err != nil {
		return err
	}
	fmt.Fprint(w, "| Data plane, per request | CPU | Allocations | Target | |\n|---|--:|--:|--:|---|\n")
	for _, p := range dataPlane {
		cpu, allocations := metricOf(out, p.benchmark, "cpu-ns/op"), metricOf(out, p.benchmark, "allocs/op")
		if math.IsInf(cpu, 1) {
			return fmt.Errorf("the benchmarks do not report %s:\n%s", p.benchmark, out)
		}
		r := row{target: p.target, format: nanoseconds}
		fmt.Fprintf(w, "| %s | %s | %.0f | %s |\n", p.name, nanoseconds(cpu), allocations, r.verdict(cpu))
	}
	small := metricOf(out, "BenchmarkScaleBind/token/3", "cpu-ns/op")
	large := metricOf(out, "BenchmarkScaleBind/token/1000", "cpu-ns/op")
	fmt.Fprintf(w, "\nA known session takes %.2f times as long with 1,000 endpoints as with 3.\n", large/small)
	return nil
}

func nanoseconds(v float64) string { return fmt.Sprintf("%.0f ns", v) }
