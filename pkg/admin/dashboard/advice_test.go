package dashboard

import (
	"os"
	"regexp"
	"testing"
)

func TestAdvice_forEachDocumentedReason(t *testing.T) {
	text, err := os.ReadFile("../../../docs/reference/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = true
		if adviceByReason[row[1]] == "" {
			t.Errorf("there is no advice for %s", row[1])
		}
	}
	for reason := range adviceByReason {
		if !documented[reason] {
			t.Errorf("there is advice for %s, which docs/reference/problems.md does not have", reason)
		}
	}
}
