package docs

import (
	"fmt"
	"regexp"
	"testing"
)

// The chart requires the oldest version, and the tests are built from the newest.
func TestInstall_supportedVersions(t *testing.T) {
	minor := func(file, pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(readFile(t, file))
		if m == nil {
			t.Fatalf("%s does not match %s", file, pattern)
		}
		return m[1]
	}
	want := fmt.Sprintf("Kubernetes %s to %s.",
		minor("charts/limpet/Chart.yaml", `kubeVersion: ">=(\d+\.\d+)\.0-0"`),
		minor("hack/controlplane/go.mod", `k8s\.io/kubernetes v(\d+\.\d+)\.`))
	if got := minor("docs/install.md", `Limpet supports (Kubernetes [^ ]+ to [^ ]+) The`); got != want {
		t.Errorf("docs/install.md supports %q, want %q", got, want)
	}
}
