package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/limpet-dev/limpet/pkg/translate"
)

const chartSchema = "../../charts/limpet/values.schema.json"

// TestChartSchema_extraArgs compares the flags that the chart accepts with those of limpet run. With -update, it writes them.
func TestChartSchema_extraArgs(t *testing.T) {
	text, err := os.ReadFile(chartSchema)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	run, _, _ := newRootCommand("limpet", streams{}).Find([]string{"run"})
	run.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, regexp.QuoteMeta(f.Name)) })
	extraArgs := regexp.MustCompile(`("extraArgs": .*"pattern": ")[^"]*"`)
	want := extraArgs.ReplaceAllString(string(text), `${1}^--(`+strings.Join(names, "|")+`)(=|$$)"`)
	switch {
	case want == string(text):
	case !*update:
		t.Fatal("charts/limpet/values.schema.json does not have the flags of limpet run; -update writes them")
	default:
		if err := os.WriteFile(chartSchema, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const chartAnnotations = "../../charts/limpet/files/annotations.yaml"

// TestChartSchema_annotations compares the annotations that the admission policy of the chart knows with those of Limpet. With
// -update, it writes them.
func TestChartSchema_annotations(t *testing.T) {
	names := translate.AnnotationNames()
	slices.Sort(names)
	want := "# Written by go test ./cmd/limpet -run ChartSchema -update.\n- " + strings.Join(names, "\n- ") + "\n"
	if *update {
		if err := os.WriteFile(chartAnnotations, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(chartAnnotations)
	if err != nil || string(text) != want {
		t.Errorf("charts/limpet/files/annotations.yaml does not have the annotations of Limpet; -update writes them (%v)", err)
	}
}
