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

// names gives the names of a World's Services, in the order in which they were read.
func names(w *translate.World) string {
	if w == nil {
		return "no World"
	}
	var out []string
	for _, s := range w.Services {
		out = append(out, s.Name)
	}
	return strings.Join(out, " ")
}

func TestLoadReadsEveryManifestBelowTheFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "b.yaml"), service("b"))
	put(t, filepath.Join(dir, "a.yml"), service("a")+"---\n"+service("a2"))
	put(t, filepath.Join(dir, "sub/deep/c.yaml"), service("c"))
	put(t, filepath.Join(dir, "notes.txt"), "not: [yaml")
	put(t, filepath.Join(dir, ".git/d.yaml"), service("d"))
	put(t, filepath.Join(dir, ".#b.yaml"), "an editor's lock")
	put(t, filepath.Join(dir, "empty.yaml"), "# nothing\n")
	world, skipped, err := Load(dir)
	if err != nil || names(world) != "a a2 b c" || len(skipped) != 0 {
		t.Errorf("got %q, passed over %v, error %v", names(world), skipped, err)
	}
}

func TestLoadReadsOneFileWhateverItIsCalled(t *testing.T) {
	file := filepath.Join(t.TempDir(), "manifest.txt")
	put(t, file, service("a"))
	world, _, err := Load(file)
	if err != nil || names(world) != "a" {
		t.Errorf("got %q, %v", names(world), err)
	}
}

func TestLoadFollowsLinksToFilesAndNamesLinksToFolders(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	put(t, filepath.Join(elsewhere, "target"), service("linked"))
	link(t, filepath.Join(elsewhere, "target"), filepath.Join(dir, "a.yaml"))
	link(t, elsewhere, filepath.Join(dir, "folder"))
	link(t, "nowhere", filepath.Join(dir, "README"))
	world, skipped, err := Load(dir)
	if err != nil || names(world) != "linked" {
		t.Errorf("got %q, %v", names(world), err)
	}
	want := filepath.Join(dir, "folder") + ": a link to a folder is not followed"
	if len(skipped) != 1 || skipped[0].String() != want {
		t.Errorf("passed over %v, want %s", skipped, want)
	}
}

// The kubelet mounts a ConfigMap as links through a hidden link to a hidden folder.
func TestLoadReadsAMountedConfigMapOnce(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "..2026_01_01/a.yaml"), service("a"))
	link(t, "..2026_01_01", filepath.Join(dir, "..data"))
	link(t, filepath.Join("..data", "a.yaml"), filepath.Join(dir, "a.yaml"))
	world, _, err := Load(dir)
	if err != nil || names(world) != "a" {
		t.Errorf("got %q, %v", names(world), err)
	}
}

func TestLoadNamesFilesAsTheUserWouldWriteThem(t *testing.T) {
	parent := t.TempDir()
	put(t, filepath.Join(parent, "real/a.yaml"), "kind: [")
	link(t, "real", filepath.Join(parent, "linked"))
	t.Chdir(parent)
	_, _, err := Load("linked")
	if err == nil || !strings.HasPrefix(err.Error(), "linked/a.yaml:") {
		t.Errorf("got %v", err)
	}
}

func TestLoadRefusesWhatIsTooMuchOrNoFile(t *testing.T) {
	for name, c := range map[string]struct {
		fill func(t *testing.T, dir string)
		want string
	}{
		"a file that is too large": {func(t *testing.T, dir string) {
			t.Helper()
			put(t, filepath.Join(dir, "a.yaml"), strings.Repeat("#", maxFileBytes+1))
		}, "a.yaml: is larger than 4 MiB"},
		"files that are too large together": {func(t *testing.T, dir string) {
			t.Helper()
			text := string(bytes.Repeat([]byte("#"), maxFileBytes))
			for _, c := range "abcdefghijklmnopq" {
				put(t, filepath.Join(dir, string(c)+".yaml"), text)
			}
		}, "the manifests are larger than 64 MiB together"},
		"too many files": {func(t *testing.T, dir string) {
			t.Helper()
			for i := range maxFiles + 1 {
				link(t, "/dev/null", filepath.Join(dir, string(rune('a'+i%26))+strings.Repeat("x", i/26)+".yaml"))
			}
		}, "there are more than 4096 manifests"},
		"a pipe that nobody writes": {func(t *testing.T, dir string) {
			t.Helper()
			if err := syscall.Mkfifo(filepath.Join(dir, "a.yaml"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "a.yaml: is no regular file"},
		"a link to nothing": {func(t *testing.T, dir string) {
			t.Helper()
			link(t, "nowhere", filepath.Join(dir, "a.yaml"))
		}, "a.yaml: no such file"},
		"no folder": {func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
		}, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.fill(t, dir)
			world, _, err := Load(dir)
			if world != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got World %v and error %v, want error %q", world, err, c.want)
			}
		})
	}
}

func TestLoadTellsOfEveryFileThatDoesNotParse(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), "kind: Service\n")
	put(t, filepath.Join(dir, "b.yaml"), "a: b: c\n")
	put(t, filepath.Join(dir, "c.yaml"), service("c"))
	_, _, err := Load(dir)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !slices.IsSorted(lines) || !strings.HasPrefix(lines[1], filepath.Join(dir, "b.yaml")+":1: ") {
		t.Errorf("got %q", lines)
	}
}
