package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// limitRow matches a flag with its default on the page of limits, for comparison with the program.
var limitRow = regexp.MustCompile("(?m)^\\| `(--(?:timeout|max)-[a-z-]+)` \\| `?([^|`]*)`? \\|")

func TestLimits_areDocumented(t *testing.T) {
	text := readPage(t, "docs/reference/limits.md").text
	found := limitRow.FindAllStringSubmatch(readPage(t, "docs/reference/flags.md").text, -1)
	if len(found) < 20 {
		t.Fatalf("found only %d limits", len(found))
	}
	for _, m := range found {
		row := regexp.MustCompile("(?m)^\\|.*`" + m[1] + "`.*$").FindString(text)
		explained := strings.Contains(row, "| "+m[2]+" |") || m[2] == "0" && strings.Contains(row, "| none: ")
		if row == "" || !explained {
			t.Errorf("docs/reference/limits.md does not have %s with the default %s", m[1], m[2])
		}
	}
}

func TestStatusCodes_areDocumented(t *testing.T) {
	page := readPage(t, "docs/reference/ingress.md").text
	source, err := os.ReadFile(filepath.Join(root, "pkg/http1/errors.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`&Error\{(\d+), `).FindAllStringSubmatch(string(source), -1)
	if len(found) < 20 {
		t.Fatalf("found only %d errors in pkg/http1/errors.go", len(found))
	}
	for _, m := range found {
		if !strings.Contains(page, "\n| "+m[1]+" | ") {
			t.Errorf("docs/reference/ingress.md does not document status %s", m[1])
		}
	}
}

func TestAnnotations_areDocumented(t *testing.T) {
	page := readPage(t, "docs/reference/annotations.md").text
	names := translate.AnnotationNames()
	if len(names) < 19 {
		t.Fatalf("there are %d annotations: %v", len(names), names)
	}
	for _, name := range names {
		if !regexp.MustCompile("\n\\|[^|\n]*`" + name + "`[^|\n]*\\| ").MatchString(page) { // a row may have several
			t.Errorf("docs/reference/annotations.md does not have %s", name)
		}
	}
	unknown := problemsOf(t, strings.Replace(readFile(t, "config/samples/ingress.yaml"), "  name: shop\n",
		"  name: shop\n  annotations:\n    limpet.dev/afinity: cookie\n", 1))
	if fmt.Sprint(unknown) != "[UnknownAnnotation]" {
		t.Errorf("problems = %v", unknown)
	}
}

func TestSamples_haveNoProblems(t *testing.T) {
	checkManifests(t, readFile(t, "config/samples/ingress.yaml")+"---\n"+readFile(t, "config/samples/affinity_policy.yaml"), nil)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
