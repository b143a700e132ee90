package main

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func findings(files ...string) []finding {
	var found []finding
	for i, f := range files {
		found = append(found, finding{file: f, line: i + 1, text: "x"})
	}
	return found
}

func TestExceeding_directories(t *testing.T) {
	found := findings("a/1.go", "a/2.go", "b/1.go", "README.md")
	if got := exceeding(found, map[string]int{"a": 2, ".": 1}); !slices.Equal(got, []string{"b"}) {
		t.Errorf("exceeding = %v, want [b]", got)
	}
	if got := exceeding(found, map[string]int{"a": 1, "b": 9}); !slices.Equal(got, []string{".", "a"}) {
		t.Errorf("exceeding = %v, want [. a]", got)
	}
}

func TestLower_neverRaises(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allowed.txt")
	for _, step := range []struct {
		found []finding
		want  map[string]int
	}{
		{findings("a/1.go", "a/2.go", "b/1.go"), map[string]int{"a": 2, "b": 1}}, // the first time
		{findings("a/1.go", "c/1.go"), map[string]int{"a": 1}},
		{findings("a/1.go", "a/2.go"), map[string]int{"a": 1}},
	} {
		if err := lower(file, step.found); err != nil {
			t.Fatal(err)
		}
		if got, err := readAllowed(file); err != nil || !maps.Equal(got, step.want) {
			t.Errorf("allowed %v, error %v, want %v", got, err, step.want)
		}
	}
}

func TestReadAllowed_malformed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allowed.txt")
	for _, text := range []string{"pkg/proxy\n", "pkg/proxy many\n", "pkg/proxy -1\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAllowed(file); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestReport_changedLinesFirst(t *testing.T) {
	found := findings("a/1.go", "a/2.go")
	var out bytes.Buffer
	report(&out, "a", found, 1, lineSet{"a/2.go": {2: true}}, 9)
	if got := out.String(); !strings.Contains(got, "a/2.go:2") || strings.Contains(got, "a/1.go") {
		t.Errorf("with changed lines: %s", got)
	}
	out.Reset()
	report(&out, "a", found, 1, nil, 1)
	if got := out.String(); !strings.Contains(got, "a/1.go:1") || !strings.Contains(got, "and 1 more") {
		t.Errorf("without: %s", got)
	}
}

func TestRun_ratchet(t *testing.T) {
	root, git := repository(t)
	page := func(text string) {
		if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "hack/prose"), 0o700); err != nil {
		t.Fatal(err)
	}
	page("Its answer.\n")
	git("add", ".")
	git("commit", "--quiet", "--message=x")
	if err := run(&bytes.Buffer{}, options{root: root, write: true}); err != nil {
		t.Fatal(err)
	}
	if err := run(&bytes.Buffer{}, options{root: root, top: 9}); err != nil {
		t.Errorf("with what is allowed: %v", err)
	}
	git("checkout", "--quiet", "-b", "branch")
	page("Its answer.\n\nAn answer.\n")
	if err := os.WriteFile(filepath.Join(root, "NEW.md"), []byte("Its answer.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(&out, options{root: root, top: 9}); err == nil {
		t.Error("with two more: no error")
	}
	for place, want := range map[string]bool{"README.md:1": false, "README.md:3": true, "NEW.md:1": true} {
		if got := strings.Contains(out.String(), place); got != want {
			t.Errorf("%s printed = %v, want %v:\n%s", place, got, want, &out)
		}
	}
}
