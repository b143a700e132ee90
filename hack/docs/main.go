package main

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/limpet-dev/limpet/pkg/translate"
)

//go:embed *.tmpl
var templates embed.FS

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// write generates all pages below root, the directory of the checkout.
func write(root string) error {
	pages, err := render(root)
	if err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(root, "docs", name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// render returns the text of each page by file name below docs.
func render(root string) (map[string][]byte, error) {
	spec, err := readSpec(filepath.Join(root, "config/crd/bases/limpet.dev_affinitypolicies.yaml"))
	if err != nil {
		return nil, err
	}
	types, err := readStructs(filepath.Join(root, "api/v1alpha1"))
	if err != nil {
		return nil, err
	}
	conditions, err := readConstants(filepath.Join(root, "api/v1alpha1/conditions.go"))
	if err != nil {
		return nil, err
	}
	reasons, err := readConstants(filepath.Join(root, "pkg/translate/report.go"))
	if err != nil {
		return nil, err
	}
	ofSources, err := readConstants(filepath.Join(root, "pkg/translate/report_source.go"))
	if err != nil {
		return nil, err
	}
	data := map[string]any{
		"Fields":     fields(spec, types),
		"Methods":    methodTable(spec),
		"Conditions": tableOf(conditions, "Condition"),
		"Reasons":    tableOf(conditions, "Reason"),
		"Problems":   tableOf(slices.Concat(reasons, ofSources), "Reason"),
		"Nginx":      translate.NginxAnnotations(),
		"NginxKeys":  translate.NginxKeys(),
	}
	pages := map[string][]byte{}
	for _, name := range []string{
		"reference/affinitypolicy.md", "reference/problems.md", "reference/ingress-nginx.md",
		"reference/ingress-nginx-configmap.md", "migrate-from-ingress-nginx.md",
	} {
		if pages[name], err = fill(filepath.Base(name)+".tmpl", data); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// fill executes a template.
func fill(name string, data any) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"verdict": verdict}).ParseFS(templates, name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// verdict describes how an annotation of ingress-nginx is handled, for a cell of a table.
func verdict(a translate.NginxAnnotation) string { return cell(a.Text()) }

// cell formats text for a cell of a Markdown table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}
