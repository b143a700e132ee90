package chart

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/test/programs"
)

// oldest is the oldest Kubernetes version that the chart supports. The pinned helm, built without version
// information, assumes an older one.
const oldest = "1.29.0"

// helm runs the pinned helm with its own directories.
func helm(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return command(t, programs.Helm.Path(), args...)
}

func command(t *testing.T, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "KUBECONFIG="+kubeconfig, "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home,
		"HELM_DATA_HOME="+home)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// template renders the chart as release edge in namespace edge-system, or returns the error of helm.
func template(t *testing.T, args ...string) (objects []client.Object, complaint string) {
	t.Helper()
	args = append([]string{"template", "edge", chartDir, "--namespace", "edge-system", "--kube-version", oldest}, args...)
	out, complaint, err := helm(t, args...)
	if err != nil {
		return nil, complaint
	}
	return decode(t, []byte(out)), ""
}

// variant is one values file of testdata.
type variant struct {
	name, file string
	// restricted is set if the pods meet the restricted Pod Security Standard.
	restricted bool
}

func variants(t *testing.T) []variant {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("testdata has %d variants (%v), want all of them", len(files), err)
	}
	var out []variant
	for _, file := range files {
		folder, name := filepath.Split(file)
		out = append(out, variant{
			name: strings.TrimSuffix(name, ".yaml"), file: file, restricted: filepath.Base(folder) == "restricted",
		})
	}
	return out
}

// eachVariant runs a subtest for every variant.
func eachVariant(t *testing.T, check func(t *testing.T, v variant, objects []client.Object)) {
	t.Helper()
	for _, v := range variants(t) {
		t.Run(v.name, func(t *testing.T) {
			objects, complaint := template(t, "--values", v.file)
			if complaint != "" {
				t.Fatal(complaint)
			}
			check(t, v, objects)
		})
	}
}
