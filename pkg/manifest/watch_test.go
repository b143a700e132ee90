package manifest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// call is one call of the callback of Watch.
type call struct {
	snapshot *translate.Snapshot
	err      error
}

// startWatch watches dir until the test ends. It returns the calls of the callback and their number.
func startWatch(t *testing.T, dir string) (calls chan call, count *atomic.Int64) {
	t.Helper()
	calls, count = make(chan call, 1000), new(atomic.Int64)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- NewSource(dir).Watch(ctx, func(c *Contents, err error) {
			count.Add(1)
			if c == nil {
				c = &Contents{}
			}
			calls <- call{c.Snapshot, err}
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	return calls, count
}

// expect waits for a call with these Services, or for an error if want is "".
func expect(t *testing.T, calls <-chan call, want string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for last := (call{}); ; {
		select {
		case last = <-calls:
			if (want == "" && last.err != nil) || (want != "" && last.err == nil && names(last.snapshot) == want) {
				return
			}
		case <-late:
			t.Fatalf("timed out waiting for %q, last got %q, %v", want, names(last.snapshot), last.err)
		}
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func TestWatch_filesChange(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), service("a"))
	calls, _ := startWatch(t, dir)
	expect(t, calls, "a")
	put(t, filepath.Join(dir, "b.yaml"), service("b"))
	expect(t, calls, "a b")
	put(t, filepath.Join(dir, "sub/c.yaml"), service("c"))
	expect(t, calls, "a b c")
	put(t, filepath.Join(dir, "sub/c.yaml"), service("d"))
	expect(t, calls, "a b d")
	if err := os.Remove(filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	expect(t, calls, "b d")
}

func TestWatch_errorAndRecovery(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.yaml"), service("a"))
	calls, _ := startWatch(t, dir)
	expect(t, calls, "a")
	put(t, filepath.Join(dir, "a.yaml"), "a: b: c\n")
	expect(t, calls, "")
	put(t, filepath.Join(dir, "a.yaml"), service("fixed"))
	expect(t, calls, "fixed")
}

// Editors write a new file and rename it over the old one.
func TestWatch_fileReplacedByRename(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	put(t, file, service("a"))
	calls, _ := startWatch(t, dir)
	expect(t, calls, "a")
	for i := range 3 {
		put(t, file+"~", service(fmt.Sprintf("v%d", i)))
		rename(t, file+"~", file)
		expect(t, calls, fmt.Sprintf("v%d", i))
	}
}

// The kubelet updates a ConfigMap volume by renaming the link ..data.
func TestWatch_configMapVolumeUpdate(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "..v1/a.yaml"), service("v1"))
	link(t, "..v1", filepath.Join(dir, "..data"))
	link(t, filepath.Join("..data", "a.yaml"), filepath.Join(dir, "a.yaml"))
	calls, _ := startWatch(t, dir)
	expect(t, calls, "v1")
	for _, version := range []string{"v2", "v3"} {
		put(t, filepath.Join(dir, ".."+version, "a.yaml"), service(version))
		link(t, ".."+version, filepath.Join(dir, "..data_tmp"))
		rename(t, filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data"))
		expect(t, calls, version)
	}
}

func TestWatch_linkTargetChanges(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	put(t, filepath.Join(elsewhere, "target.yaml"), service("a"))
	link(t, filepath.Join(elsewhere, "target.yaml"), filepath.Join(dir, "a.yaml"))
	calls, _ := startWatch(t, dir)
	expect(t, calls, "a")
	put(t, filepath.Join(elsewhere, "target.yaml"), service("b"))
	expect(t, calls, "b")
}

func TestWatch_directoryRecreated(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "manifests")
	put(t, filepath.Join(dir, "a.yaml"), service("a"))
	calls, _ := startWatch(t, dir)
	expect(t, calls, "a")
	rename(t, dir, dir+".old")
	expect(t, calls, "")
	put(t, filepath.Join(dir, "b.yaml"), service("b"))
	expect(t, calls, "b")
	put(t, filepath.Join(dir, "c.yaml"), service("c"))
	expect(t, calls, "b c")
}

func TestWatch_directoryLinkMoves(t *testing.T) {
	parent := t.TempDir()
	put(t, filepath.Join(parent, "v1/a.yaml"), service("v1"))
	put(t, filepath.Join(parent, "v2/a.yaml"), service("v2"))
	current := filepath.Join(parent, "current")
	link(t, "v1", current)
	calls, _ := startWatch(t, current)
	expect(t, calls, "v1")
	link(t, "v2", current+".new")
	rename(t, current+".new", current)
	expect(t, calls, "v2")
	put(t, filepath.Join(parent, "v2/a.yaml"), service("v3"))
	expect(t, calls, "v3")
}

func TestWatch_coalescesChanges(t *testing.T) {
	dir := t.TempDir()
	calls, count := startWatch(t, dir)
	first := <-calls
	if first.err != nil || names(first.snapshot) != "" {
		t.Fatalf("got %q, %v", names(first.snapshot), first.err)
	}
	want := ""
	for i := range 200 {
		name := fmt.Sprintf("s%03d", i)
		put(t, filepath.Join(dir, name+".yaml"), service(name))
		want += " " + name
	}
	expect(t, calls, want[1:])
	if n := count.Load(); n > 50 {
		t.Errorf("200 changes caused %d calls, want at most 50", n)
	}
}

// Watching dir itself requires watching its parent, whose other files must be ignored.
func TestWatch_ignoresSiblings(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "manifests")
	put(t, filepath.Join(dir, "a.yaml"), service("a"))
	calls, count := startWatch(t, dir)
	expect(t, calls, "a")
	for i := range 50 {
		put(t, filepath.Join(parent, fmt.Sprintf("log%d.yaml", i)), "noise")
	}
	put(t, filepath.Join(dir, "b.yaml"), service("b"))
	expect(t, calls, "a b")
	if n := count.Load(); n > 3 { // the initial one, and one or two for the file
		t.Errorf("%d calls, want at most 3", n)
	}
}
