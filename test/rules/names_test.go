package rules

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// targetLabels are the labels that Prometheus adds to all series of a pod.
var targetLabels = []string{model.MetricNameLabel, "namespace", "job", "pod", "le"}

// metric matches a row of the reference of metrics.
var metric = regexp.MustCompile("(?m)^\\| `(limpet_[a-z_]+)` \\| ([a-z]+) \\| ([^|]*) \\|")

// documented returns the labels of each series that the reference of metrics has. Another test compares it with the program.
func documented(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, m := range metric.FindAllStringSubmatch(string(readFile(t, "docs/reference/metrics.md")), -1) {
		has := strings.Split(strings.ReplaceAll(strings.ReplaceAll(m[3], "`", ""), " ", ""), ",")
		if m[2] != "histogram" {
			out[m[1]] = has
			continue
		}
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			out[m[1]+suffix] = has
		}
	}
	if len(out) < 30 {
		t.Fatalf("found only %d metrics", len(out))
	}
	return out
}

// checkExpression fails if an expression does not parse, or selects or groups by what does not exist.
func checkExpression(t *testing.T, from, text string, metrics map[string][]string) {
	t.Helper()
	expr, err := expressions.ParseExpr(text)
	if err != nil {
		t.Errorf("%s: %v in %s", from, err, text)
		return
	}
	var selected []string // labels of all selected series
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		has, exists := metrics[selector.Name]
		if !exists && !isOfRuntime(selector.Name) {
			t.Errorf("%s: metric %s does not exist", from, selector.Name)
		}
		selected = append(selected, has...)
		for _, m := range selector.LabelMatchers {
			if !slices.Contains(has, m.Name) && !slices.Contains(targetLabels, m.Name) {
				t.Errorf("%s: metric %s has no label %s", from, selector.Name, m.Name)
			}
		}
		return nil
	})
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if by, ok := node.(*parser.AggregateExpr); ok {
			for _, name := range by.Grouping {
				if !slices.Contains(selected, name) && !slices.Contains(targetLabels, name) {
					t.Errorf("%s: no metric has the label %s in %s", from, name, text)
				}
			}
		}
		return nil
	})
}

// isOfRuntime reports whether a metric is one of the collectors of Go and of the process.
func isOfRuntime(name string) bool {
	return slices.Contains([]string{"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
		"process_start_time_seconds", "go_goroutines", "go_memstats_heap_inuse_bytes"}, name)
}

func TestAlerts_selectExistingMetrics(t *testing.T) {
	metrics := documented(t)
	for _, a := range alerts(t) {
		checkExpression(t, a.Alert, a.Expr, metrics)
	}
}

var runbookHeading = regexp.MustCompile(`(?m)^## (.*)$`)

func TestRunbooks_oneForEachAlert(t *testing.T) {
	const page = "https://github.com/limpet-dev/limpet/blob/main/docs/runbooks.md#"
	text := string(readFile(t, "docs/runbooks.md"))
	var sections, names []string
	for _, m := range runbookHeading.FindAllStringSubmatch(text, -1) {
		sections = append(sections, m[1])
	}
	for _, a := range alerts(t) {
		if want := page + strings.ToLower(a.Alert); a.Annotations["runbook_url"] != want {
			t.Errorf("%s has the runbook_url %q, want %q", a.Alert, a.Annotations["runbook_url"], want)
		}
		names = append(names, a.Alert)
	}
	if names = slices.Compact(names); !slices.Equal(sections, names) {
		t.Errorf("docs/runbooks.md has the sections\n%v\nand the alerts are\n%v", sections, names)
	}
	for _, section := range runbookHeading.Split(text, -1)[1:] {
		for _, part := range []string{"**Meaning.** ", "**Look.** ", "**Do.** "} {
			if strings.Count(section, part) != 1 {
				t.Errorf("a runbook does not have one paragraph %q: %.60q", part, section)
			}
		}
	}
}

type dashboard struct {
	UID, Title string
	Templating struct {
		List []struct {
			Name, Type string
			Query      any
		}
	}
	Panels []panel
}

type panel struct {
	ID      int
	Title   string
	Type    string
	Targets []struct{ Expr string }
	GridPos struct{ X, Y, W, H int }
}

// variable matches the variables of Grafana in expressions.
var variable = regexp.MustCompile(`\$__rate_interval|\$__range`)

func TestDashboards_selectExistingMetrics(t *testing.T) {
	metrics := documented(t)
	files, err := filepath.Glob(filepath.Join(root, "charts/limpet/dashboards/*.json"))
	if err != nil || len(files) != 3 {
		t.Fatalf("found %d dashboards (%v), want 3", len(files), err)
	}
	uids := map[string]bool{}
	for _, file := range files {
		name := filepath.Base(file)
		var d dashboard
		if err := json.Unmarshal(readFile(t, "charts/limpet/dashboards/"+name), &d); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d.UID == "" || uids[d.UID] || len(d.Panels) < 6 {
			t.Errorf("%s has the uid %q, which must be unique, and %d panels", name, d.UID, len(d.Panels))
		}
		uids[d.UID] = true
		checkPanels(t, name, &d, metrics)
	}
}

func checkPanels(t *testing.T, name string, d *dashboard, metrics map[string][]string) {
	t.Helper()
	ids := map[int]bool{}
	for i, p := range d.Panels {
		from := name + ": " + p.Title
		if ids[p.ID] || p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("%s: panel %d has no title or expression, or the id of another", from, p.ID)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			checkExpression(t, from, variable.ReplaceAllString(target.Expr, "5m"), metrics)
		}
		for _, other := range d.Panels[:i] {
			a, b := p.GridPos, other.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H || a.X+a.W > 24 {
				t.Errorf("%s overlaps %s, or the page", from, other.Title)
			}
		}
	}
	for _, v := range d.Templating.List {
		if query, ok := v.Query.(string); ok && v.Type == "query" {
			of := strings.TrimPrefix(strings.Split(query, ",")[0], "label_values(")
			if _, exists := metrics[of]; !exists {
				t.Errorf("%s: variable %s is of the metric %s, which does not exist", name, v.Name, of)
			}
		}
	}
}
