package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad_invalidDuration(t *testing.T) {
	for field, value := range map[string]string{
		"idleTimeout": "1d", "absoluteTimeout": "2w", "newSession.slowStart": "1m30", "unavailable.retryAfter": "1.5s",
	} {
		outer, inner, nested := strings.Cut(field, ".")
		spec := outer + ": " + value
		if nested {
			spec = outer + ": {" + inner + ": " + value + "}"
		}
		file := filepath.Join(t.TempDir(), "policy.yaml")
		text := "apiVersion: limpet.dev/v1alpha1\nkind: AffinityPolicy\nmetadata: {name: p}\nspec:\n" +
			"  targetRefs: [{kind: Service, name: cart}]\n  methods: [{source: Cookie, binding: Issued}]\n  " + spec + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := Load([]string{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		message := fmt.Sprint(found.Snapshot.Reports)
		if strings.Contains(message, "should match") || !strings.Contains(message, "use h, m, s, ms") ||
			!strings.Contains(message, value) || !strings.Contains(message, field) {
			t.Errorf("%s %s: %v", field, value, message)
		}
	}
}
