package manifest

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/limpet-dev/limpet/pkg/translate"
)

func service(name string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\n"
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

// names returns the names of the Services in the order in which they were read.
func names(w *translate.Snapshot) string {
	if w == nil {
		return "no snapshot"
	}
	var out []string
	for _, s := range w.Services {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

// load reads a directory like limpet dev at its start.
func load(dir string) (*translate.Snapshot, []Skipped, error) {
	c, err := NewSource(dir).Load()
	if err != nil {
		return nil, nil, err
	}
	return c.Snapshot, c.Skipped, nil
}

func TestLoad_directoryTree(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "b.yaml"), service("b"))
	put(t, filepath.Join(dir, "a.yml"), service("a")+"---\n"+service("a2"))
	put(t, filepath.Join(dir, "sub/deep/c.yaml"), service("c"))
	put(t, filepath.Join(dir, "notes.txt"), "not: [yaml")
	put(t, filepath.Join(dir, ".git/d.yaml"), service("d"))
	put(t, filepath.Join(dir, ".#b.yaml"), "an editor's lock")
	put(t, filepath.Join(dir, "empty.yaml"), "# nothing\n")
	snapshot, skipped, err := load(dir)
	if err != nil || names(snapshot) != "a a2 b c" || len(skipped) != 0 {
		t.Errorf("got %q, skipped %v, error %v", names(snapshot), skipped, err)
	}
}

func TestLoad_singleFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "manifest.txt")
	put(t, file, service("a"))
	snapshot, _, err := load(file)
	if err != nil || names(snapshot) != "a" {
		t.Errorf("got %q, %v", names(snapshot), err)
	}
}

func TestLoad_symbolicLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	put(t, filepath.Join(elsewhere, "target"), service("linked"))
	link(t, filepath.Join(elsewhere, "target"), filepath.Join(dir, "a.yaml"))
	link(t, elsewhere, filepath.Join(dir, "folder"))
	link(t, "nowhere", filepath.Join(dir, "README"))
	snapshot, skipped, err := load(dir)
	if err != nil || names(snapshot) != "linked" {
		t.Errorf("got %q, %v", names(snapshot), err)
	}
	want := filepath.Join(dir, "folder") + ": symbolic links to directories are not followed"
	if len(skipped) != 1 || skipped[0].String() != want {
		t.Errorf("skipped %v, want %s", skipped, want)
	}
}

// In a ConfigMap volume, files are links through a hidden link to a hidden directory.
func TestLoad_configMapVolume(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "..2026_01_01/a.yaml"), service("a"))
	link(t, "..2026_01_01", filepath.Join(dir, "..data"))
	link(t, filepath.Join("..data", "a.yaml"), filepath.Join(dir, "a.yaml"))
	snapshot, _, err := load(dir)
	if err != nil || names(snapshot) != "a" {
		t.Errorf("got %q, %v", names(snapshot), err)
	}
}

func TestLoad_errorsUseGivenPath(t *testing.T) {
	parent := t.TempDir()
	put(t, filepath.Join(parent, "real/a.yaml"), "kind: [")
	link(t, "real", filepath.Join(parent, "linked"))
	t.Chdir(parent)
	_, _, err := load("linked")
	if err == nil || !strings.HasPrefix(err.Error(), "linked/a.yaml:") {
		t.Errorf("got %v", err)
	}
}

// limit sets a limit until the test ends.
func limit(t *testing.T, which *int, value int) {
	t.Helper()
	before := *which
	*which = value
	t.Cleanup(func() { *which = before })
}

func TestLoad_limitsAndBadFiles(t *testing.T) {
	for name, c := range map[string]struct {
		fill func(t *testing.T, dir string)
		want string
	}{
		"an object that is too large": {func(t *testing.T, dir string) {
			t.Helper()
			put(t, filepath.Join(dir, "a.yaml"), service("a")+"x: "+strings.Repeat("#", maxDocument+1))
		}, "a.yaml:1: the object exceeds 4 MiB"},
		"files that are too large together": {func(t *testing.T, dir string) {
			t.Helper()
			limit(t, &maxRetained, 16<<20)
			text := string(bytes.Repeat([]byte("#"), maxDocument))
			for _, c := range "abcde" {
				put(t, filepath.Join(dir, string(c)+".yaml"), text)
			}
		}, "e.yaml: the manifests exceed 16 MiB in total"},
		"too many files": {func(t *testing.T, dir string) {
			t.Helper()
			limit(t, &maxFiles, 100)
			for i := range maxFiles + 1 {
				link(t, "/dev/null", filepath.Join(dir, string(rune('a'+i%26))+strings.Repeat("x", i/26)+".yaml"))
			}
		}, "found more than 100 manifests"},
		"a pipe without a writer": {func(t *testing.T, dir string) {
			t.Helper()
			if err := syscall.Mkfifo(filepath.Join(dir, "a.yaml"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "a.yaml: not a regular file"},
		"a dangling link": {func(t *testing.T, dir string) {
			t.Helper()
			link(t, "nowhere", filepath.Join(dir, "a.yaml"))
		}, "a.yaml: no such file"},
		"missing directory": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
		}, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.fill(t, dir)
			snapshot, _, err := load(dir)
			if snapshot != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got snapshot %v and error %v, want error %q", snapshot, err, c.want)
			}
		})
	}
}

func TestLoad_reportsAllInvalidFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), "kind: Service\n")
	put(t, filepath.Join(dir, "b.yaml"), "a: b: c\n")
	put(t, filepath.Join(dir, "c.yaml"), service("c"))
	_, _, err := load(dir)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !slices.IsSorted(lines) || !strings.HasPrefix(lines[1], filepath.Join(dir, "b.yaml")+":1: ") {
		t.Errorf("got %q", lines)
	}
}
