package pages_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/limpet-dev/limpet/test/pages"
)

func TestSteps(t *testing.T) {
	got := pages.Steps("text\n\n<!-- test: pods 1 2 -->\n\n<!-- test: run -->\n```sh\na\nb\n```\ntext\n\n```yaml\nc\n```\n")
	want := []pages.Step{
		{Line: 3, Mode: "pods", Args: []string{"1", "2"}, Directive: true},
		{Line: 5, Mode: "run", Args: []string{}, Language: "sh", Body: "a\nb\n", Directive: true},
		{Line: 12, Language: "yaml", Body: "c\n"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
