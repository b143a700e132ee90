package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/proxy"
	"github.com/limpet-dev/limpet/pkg/translate"
)

func TestLimitsAndTimeoutsAreThoseOfTheProgram(t *testing.T) {
	text := readPage(t, "docs/reference/ingress.md").text
	for _, table := range []any{http1.DefaultLimits(), proxy.DefaultTimeouts()} {
		v := reflect.ValueOf(table)
		for i := range v.NumField() {
			row := fmt.Sprintf("\n| `%s` | %v | ", v.Type().Field(i).Name, v.Field(i).Interface())
			if !strings.Contains(text, row) {
				t.Errorf("docs/reference/ingress.md does not have the row%s", row)
			}
		}
	}
}

func TestEveryStatusOfAMalformedRequestIsExplained(t *testing.T) {
	page := readPage(t, "docs/reference/ingress.md").text
	source, err := os.ReadFile(filepath.Join(root, "pkg/http1/errors.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`&Error\{(\d+), `).FindAllStringSubmatch(string(source), -1)
	if len(found) < 20 {
		t.Fatalf("%d errors in pkg/http1/errors.go: they are not found", len(found))
	}
	for _, m := range found {
		if !strings.Contains(page, "\n| "+m[1]+" | ") {
			t.Errorf("docs/reference/ingress.md does not say when %s is answered", m[1])
		}
	}
}

func TestEveryAnnotationIsExplained(t *testing.T) {
	page := readPage(t, "docs/reference/annotations.md").text
	for _, name := range []string{
		translate.AnnotationAffinity, translate.AnnotationHeader, translate.AnnotationCookie, translate.AnnotationPolicy,
	} {
		if !strings.Contains(page, "\n| `"+name+"` | ") {
			t.Errorf("docs/reference/annotations.md does not have %s", name)
		}
	}
	// The program lists them all when one is wrong.
	unknown := problemsOf(t, strings.Replace(readFile(t, "config/samples/ingress.yaml"), "  name: shop\n",
		"  name: shop\n  annotations:\n    limpet.dev/afinity: cookie\n", 1))
	if fmt.Sprint(unknown) != "[UnknownAnnotation]" {
		t.Errorf("problems = %v", unknown)
	}
}

func TestSamplesAreWithoutProblems(t *testing.T) {
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
