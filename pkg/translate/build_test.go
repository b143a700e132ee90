package translate_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/limpet-dev/limpet/pkg/manifest"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

var update = flag.Bool("update", false, "rewrite the *.out.yaml files")

// outcome is the content of a golden file: all results of a Snapshot.
type outcome struct {
	Model      *model.Model                `json:"model"`
	Endpoints  map[string][]model.Endpoint `json:"endpoints,omitempty"`
	Reports    []translate.Report          `json:"reports,omitempty"`
	Referenced []string                    `json:"referenced,omitempty"`
	Next       time.Time                   `json:"next,omitzero"`
}

// today is Snapshot.Now of all cases.
var today = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func translated(w *translate.Snapshot, before *model.Model, o translate.Options) outcome {
	r := translate.Build(w, before, o)
	out := outcome{Model: r.Model, Reports: r.Reports, Endpoints: map[string][]model.Endpoint{}, Next: r.Next}
	for _, pool := range r.Model.Pools {
		out.Endpoints[pool.ID.String()] = translate.Endpoints(pool, w.EndpointSlices, translate.PodsOf(w))
	}
	for ref := range r.Referenced {
		out.Referenced = append(out.Referenced, ref.String())
	}
	slices.Sort(out.Referenced)
	return out
}

// Each case is read as by `limpet dev`, so the input is strict, and policies have their defaults. A file *.options.yaml
// contains the options if they are not the defaults. A file *.before.yaml contains the previous Snapshot.
func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no cases in testdata: %v", err)
	}
	for _, input := range inputs {
		name := strings.TrimSuffix(filepath.Base(input), ".in.yaml")
		t.Run(name, func(t *testing.T) {
			snapshot, before, options := readCase(t, input)
			got := marshal(t, translated(snapshot, before, options))
			golden := strings.TrimSuffix(input, ".in.yaml") + ".out.yaml"
			if *update {
				write(t, golden, got)
			}
			if diff := cmp.Diff(string(read(t, golden)), got); diff != "" {
				t.Errorf("%s (-want +got; -update rewrites it):\n%s", golden, diff)
			}
			checkOrderAndPurity(t, input, got)
		})
	}
}

// checkOrderAndPurity translates the same objects in other orders, and checks that translation does not modify them.
func checkOrderAndPurity(t *testing.T, input, want string) {
	t.Helper()
	for seed := range uint64(5) {
		snapshot, before, options := readCase(t, input)
		shuffle(snapshot, rand.New(rand.NewPCG(seed, seed)))
		text := asJSON(t, snapshot)
		if diff := cmp.Diff(want, marshal(t, translated(snapshot, before, options))); diff != "" {
			t.Fatalf("the outcome depends on the order of the input, seed %d:\n%s", seed, diff)
		}
		if diff := cmp.Diff(text, asJSON(t, snapshot)); diff != "" {
			t.Fatalf("translation changed its input:\n%s", diff)
		}
	}
}

func shuffle(w *translate.Snapshot, random *rand.Rand) {
	swap(random, w.Ingresses)
	swap(random, w.IngressClasses)
	swap(random, w.Services)
	swap(random, w.EndpointSlices)
	swap(random, w.Secrets)
	swap(random, w.ConfigMaps)
	swap(random, w.Policies)
	swap(random, w.Pods)
}

func swap[T any](random *rand.Rand, list []T) {
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

func readCase(t *testing.T, input string) (w *translate.Snapshot, before *model.Model, options translate.Options) {
	t.Helper()
	options = translate.Options{TakeUnclassed: true}
	name := strings.TrimSuffix(input, ".in.yaml")
	if file := name + ".options.yaml"; exists(file) {
		options = translate.Options{}
		if err := yaml.UnmarshalStrict(read(t, file), &options); err != nil {
			t.Fatal(err)
		}
	}
	if file := name + ".before.yaml"; exists(file) {
		before = translate.Build(readSnapshot(t, file), nil, options).Model
	}
	return readSnapshot(t, input), before, options
}

func readSnapshot(t *testing.T, file string) *translate.Snapshot {
	t.Helper()
	snapshot, skipped, err := manifest.Read(file, read(t, file))
	if err != nil {
		t.Fatal(err)
	}
	if len(skipped) > 0 {
		t.Fatalf("ignored: %v", skipped)
	}
	snapshot.Now = today
	return snapshot
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// marshal returns YAML that is easy to review: references in the form of commands, without transition times, which the
// writer of the status sets.
func marshal(t *testing.T, v any) string {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(asJSON(t, v)), &tree); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(shorten(tree))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shorten writes a PoolID as "shop/cart:80" and a Ref as "Ingress shop/cart".
func shorten(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = shorten(v[i])
		}
	case map[string]any:
		delete(v, "lastTransitionTime")
		for key := range v {
			v[key] = shorten(v[key])
		}
		switch strings.Join(slices.Sorted(maps.Keys(v)), " ") {
		case "namespace port service":
			return fmt.Sprintf("%v/%v:%v", v["namespace"], v["service"], v["port"])
		case "kind name namespace":
			return fmt.Sprintf("%v %v/%v", v["kind"], v["namespace"], v["name"])
		}
	}
	return v
}

func TestGolden_haveInputs(t *testing.T) {
	outputs, err := filepath.Glob("testdata/*.out.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, output := range outputs {
		if _, err := os.Stat(strings.TrimSuffix(output, ".out.yaml") + ".in.yaml"); err != nil {
			t.Error(err)
		}
	}
}

// Every reason of translation occurs in a golden file.
func TestGolden_allReasons(t *testing.T) {
	seen := map[string]bool{}
	inputs, _ := filepath.Glob("testdata/*.in.yaml")
	for _, input := range inputs {
		snapshot, before, options := readCase(t, input)
		for _, report := range translate.Build(snapshot, before, options).Reports {
			for _, p := range report.Problems {
				seen[p.Reason] = true
			}
		}
	}
	for _, reason := range reasons(t) {
		if !seen[reason] {
			t.Errorf("no golden file shows the reason %s; there are %v", reason, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// reasons reads the constants from their source: Go has no list of them.
func reasons(t *testing.T) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(string(read(t, "report.go"))) {
		name, value, found := strings.Cut(strings.TrimSpace(line), " = ")
		if found && strings.HasPrefix(name, "Reason") {
			out = append(out, strings.Trim(value, `"`))
		}
	}
	if len(out) < 20 {
		t.Fatalf("found %d reasons in report.go", len(out))
	}
	return out
}
