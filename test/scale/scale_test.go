package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestCompare_cases(t *testing.T) {
	committed := []held{{Name: "a", Value: 100}, {Name: "b", Value: 0, Slack: 2}}
	for name, c := range map[string]struct {
		now    []held
		failed bool
	}{
		"equal":           {[]held{{Name: "a", Value: 100}, {Name: "b"}}, false},
		"within 20 %":     {[]held{{Name: "a", Value: 120}, {Name: "b", Value: 2}}, false},
		"lower":           {[]held{{Name: "a", Value: 1}, {Name: "b"}}, false},
		"over 20 %":       {[]held{{Name: "a", Value: 121}, {Name: "b"}}, true},
		"over the slack":  {[]held{{Name: "a", Value: 100}, {Name: "b", Value: 3}}, true},
		"missing":         {[]held{{Name: "a", Value: 100}}, true},
		"additional":      {[]held{{Name: "a", Value: 100}, {Name: "b"}, {Name: "c"}}, true},
		"not a number":    {[]held{{Name: "a", Value: math.NaN()}, {Name: "b"}}, true},
		"other name":      {[]held{{Name: "A", Value: 100}, {Name: "b"}}, true},
		"infinite result": {[]held{{Name: "a", Value: math.Inf(1)}, {Name: "b"}}, true},
	} {
		if err := compare(committed, c.now); (err != nil) != c.failed {
			t.Errorf("%s: %v, want failed = %v", name, err, c.failed)
		}
	}
}

func TestExposition_sum(t *testing.T) {
	e := exposition(`# HELP a x
a{verb="LIST",code="200"} 3
a{verb="LIST",code="410"} 1
a{verb="GET"} 9
ab{verb="LIST"} 5
b 2.5e+01

`)
	for _, c := range []struct {
		metric string
		labels []string
		want   float64
	}{
		{"a", []string{`verb="LIST"`}, 4}, {"a", nil, 13}, {"a", []string{`verb="LIST"`, `code="410"`}, 1}, {"b", nil, 25}, {"c", nil, 0},
	} {
		if got := e.sum(c.metric, c.labels...); got != c.want {
			t.Errorf("%s %v: %v, want %v", c.metric, c.labels, got, c.want)
		}
	}
	if n := e.series(); n != 5 {
		t.Errorf("%d series, want 5", n)
	}
}

func TestMetricOf_lowest(t *testing.T) {
	out := []byte("BenchmarkA/1000/path-2 \t 200 \t 900 ns/op\t 70.5 cpu-ns/op \t 12 allocs/op\n" +
		"BenchmarkA/1000/path-2 \t 200 \t 800 ns/op\t 60 cpu-ns/op \t 13 allocs/op\n" +
		"BenchmarkA/100/path \t 5 \t 1 ns/op\t 3 allocs/op\nPASS\n")
	for unit, want := range map[string]float64{"cpu-ns/op": 60, "allocs/op": 12, "ns/op": 800} {
		if got := metricOf(out, "BenchmarkA/1000/path", unit); got != want {
			t.Errorf("%s: %v, want %v", unit, got, want)
		}
	}
	if got := metricOf(out, "BenchmarkA/100/path", "allocs/op"); got != 3 {
		t.Errorf("%v allocations, want 3", got)
	}
	if got := metricOf(out, "BenchmarkB", "ns/op"); !math.IsInf(got, 1) {
		t.Errorf("%v for a missing benchmark", got)
	}
}

func TestDurations_quantile(t *testing.T) {
	var d durations
	if d.p99() != 0 {
		t.Error("without durations, p99 is not zero")
	}
	for n := range 100 {
		d = append(d, time.Duration(100-n))
	}
	if d.p50() != 51 || d.p99() != 100 || d.quantile(0) != 1 || d.quantile(1) != 100 {
		t.Errorf("p50 %d, p99 %d, lowest %d, highest %d", d.p50(), d.p99(), d.quantile(0), d.quantile(1))
	}
}

// One period with a garbage collection must not change the ratio.
func TestChangeCosts_ratio(t *testing.T) {
	small := changeCosts{perPeriod: durations{10, 10, 10, 10, 500}}
	large := changeCosts{perPeriod: durations{20, 15, 900, 15, 15}}
	if middle, low, high := large.ratio(small); middle != 1.5 || low != 1.5 || high != 2 {
		t.Errorf("%v, between %v and %v", middle, low, high)
	}
	if middle, _, _ := large.ratio(changeCosts{}); math.IsNaN(middle) {
		t.Error("the ratio to nothing is not a number")
	}
	if median(nil) != 0 || median([]float64{9, 1, 5}) != 5 {
		t.Error("wrong median")
	}
}

func TestWriteFiles_areManifests(t *testing.T) {
	dir := t.TempDir()
	f := &fleet{size: 101, versions: make([]int, 101), pods: make([][]types.UID, 101)}
	for i := range f.pods {
		f.pods[i] = make([]types.UID, endpointsPerPool)
	}
	if err := f.writeFiles(dir); err != nil {
		t.Fatal(err)
	}
	for name, objects := range map[string]int{"n0.yaml": 300, "n1.yaml": 3} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || strings.Count(string(text), "\napiVersion: ") != objects || strings.Count(string(text), "\nkind: ") != objects {
			t.Errorf("%s: %v, want %d objects", name, err, objects)
		}
	}
}

func TestReplaceGenerated_keepsTheRest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scale.md")
	if err := os.WriteFile(file, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceGenerated(file, "new"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := string(text)
	if !strings.HasPrefix(got, "before\n") || !strings.HasSuffix(got, "after\n") || !strings.Contains(got, "new") ||
		strings.Contains(got, "old") {
		t.Errorf("%q", got)
	}
	if err := os.WriteFile(file, []byte("without markers"), 0o600); err != nil {
		t.Fatal(err)
	}
	if replaceGenerated(file, "new") == nil {
		t.Error("a file without markers was overwritten")
	}
}

func TestAddressOf_unique(t *testing.T) {
	type endpoint struct {
		address string
		port    int32
	}
	seen := map[endpoint]bool{}
	for i := range maxIngresses {
		_, port := addressOf(i, 0)
		for j := range endpointsPerPool {
			address, at := addressOf(i, j)
			if seen[endpoint{address, at}] || at != port {
				t.Fatalf("endpoint %d of Ingress %d has the address %s:%d of another one, or another port than %d", j, i, address, at, port)
			}
			seen[endpoint{address, at}] = true
		}
	}
	for turn := range 2 {
		if seen[endpoint{removalAddress(turn), podPort}] {
			t.Errorf("%s is used twice", removalAddress(turn))
		}
	}
}

// A single replica is never notified. Several replicas renew a session once for all.
func TestSimulateStore_renewals(t *testing.T) {
	const once = float64(simulatedSessions) / renewAfter
	for _, replicas := range []int{1, 3} {
		got := simulateStore(replicas, rand.New(rand.NewPCG(1, 2)))
		if got.writes < 0.9*once || got.writes > 1.1*once || got.notifications != got.writes*float64(replicas-1) {
			t.Errorf("%d replicas: %+v, want %.0f writes per second", replicas, got, once)
		}
		if hasQueries := got.queries > 0; hasQueries != (replicas > 1) {
			t.Errorf("%d replicas: %v queries", replicas, got.queries)
		}
	}
}
