package release

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// build runs hack/build.sh of a source tree, and returns the program.
func build(t *testing.T, tree string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "limpet")
	run(t, tree, "hack/build.sh", program)
	return program
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	if strings.Contains(name, "/") {
		cmd.Path = filepath.Join(dir, name)
	}
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "VERSION=1.2.3")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return string(out)
}

// checkout copies the tracked files to a new directory.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := strings.Fields(run(t, root, "git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go", "go.*", "hack/build.sh", "cmd", "config", "pkg"))
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestBuild_isReproducible(t *testing.T) {
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(build(t, here))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(build(t, checkout(t)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("two builds of the same source differ (%d and %d bytes)", len(first), len(second))
	}
}

func TestSBOM_listsLinkedModules(t *testing.T) {
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	program := build(t, here)
	var document struct {
		Packages []struct{ Name, VersionInfo string }
	}
	text := run(t, here, "go", "run", "./hack/sbom", "-version", "1.2.3", program)
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, p := range document.Packages {
		listed[p.Name] = p.VersionInfo
	}
	for line := range strings.Lines(run(t, here, "go", "version", "-m", program)) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "dep" && listed[words[1]] != words[2] {
			t.Errorf("%s %s is linked, but listed as %q", words[1], words[2], listed[words[1]])
		}
	}
	if listed["github.com/limpet-dev/limpet"] != "1.2.3" || !strings.HasPrefix(listed["stdlib"], "go1.") || len(listed) < 30 {
		t.Errorf("%d packages listed: %v", len(listed), listed)
	}
}
