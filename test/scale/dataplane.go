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
	flat := row{target: 1.2}
	fmt.Fprintf(w, "\nA known session takes %.2f times as long with 1,000 endpoints as with 3 (target: %.1f; %s).\n", large/small,
		flat.target, flat.judge(large/small))
	return nil
}

// reportHeap runs the benchmark of the heap of package publish, and writes its result.
func reportHeap(w io.Writer) error {
	const name = "BenchmarkHeapPerIngress/10000/a-policy-for-10"
	out, err := goBenchmark(publishPackage, "^BenchmarkHeapPerIngress$/^10000$/^a-policy-for-10$", "1x", 1)
	if err != nil {
		return err
	}
	bytes := metricOf(out, name, "bytes/Ingress")
	if math.IsInf(bytes, 1) {
		return fmt.Errorf("the benchmark does not report its result:\n%s", out)
	}
	r := row{target: 10_000}
	fmt.Fprintf(w, "\nAn Ingress with ten endpoints takes %.0f bytes of heap (target: %.0f; %s), without the objects of the cache."+
		" A policy for each ten Services is included.\n", bytes, r.target, r.judge(bytes))
	return nil
}

func nanoseconds(v float64) string { return fmt.Sprintf("%.0f ns", v) }
