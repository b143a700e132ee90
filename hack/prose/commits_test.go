package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCheckSubject_cases(t *testing.T) {
	deny := mustDenylist(t)
	for text, ok := range map[string]bool{
		"proxy: track body completion in one place":        true,
		"pkg/http2, pkg/proxy: refuse a second END_STREAM": true,
		"hack/prose: need fewer words":                     true,
		"proxy: that a body was sent is said in one place": false,
		"proxy: tracking of bodies":                        false,
		"proxy: Track bodies":                              false,
		"track bodies":                                     false,
		"proxy: fix":                                       false,
		"proxy: return the answer":                         false,
		"translate: rename World to Snapshot":              true,
		"proxy: " + strings.Repeat("x ", 33):               false,
	} {
		if found := checkSubject("c", text, deny); (len(found) == 0) != ok {
			t.Errorf("%q: findings %v, want none = %v", text, found, ok)
		}
	}
}

func TestParseDiff_lines(t *testing.T) {
	set := parseDiff("+++ b/a.go\n@@ -1 +3,2 @@ x\n+y\n+z\n@@ -9,2 +11 @@\n+w\n@@ -20,2 +22,0 @@\n+++ /dev/null\n@@ -1 +0,0 @@\n")
	for line, want := range map[int]bool{2: false, 3: true, 4: true, 5: false, 11: true, 12: false, 22: false} {
		if got := set.has("a.go", line); got != want {
			t.Errorf("line %d: %v, want %v", line, got, want)
		}
	}
}

// repository returns an empty repository and a function that runs git in it.
func repository(t *testing.T) (string, func(args ...string)) {
	root := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", root, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	run("init", "--quiet", "--initial-branch=main")
	return root, run
}

func TestCheckCommits_sinceMergeBase(t *testing.T) {
	root, run := repository(t)
	run("commit", "--quiet", "--allow-empty", "--message=The answer")
	run("checkout", "--quiet", "-b", "branch")
	run("commit", "--quiet", "--allow-empty", "--message=proxy: close idle connections")
	run("commit", "--quiet", "--allow-empty", "--message=Close more")
	found, err := checkCommits(root, mergeBase(root, ""), mustDenylist(t))
	if err != nil || len(found) != 1 || !strings.Contains(found[0].text, "Close more") {
		t.Errorf("findings %v, error %v, want one for \"Close more\"", found, err)
	}
}

func TestMergeBase_unknown(t *testing.T) {
	root, run := repository(t)
	run("checkout", "--quiet", "-b", "other")
	run("commit", "--quiet", "--allow-empty", "--message=x")
	if base := mergeBase(root, ""); base != "" {
		t.Errorf("base %q, want none", base)
	}
	if found, err := checkCommits(root, "", nil); found != nil || err != nil {
		t.Errorf("findings %v, error %v", found, err)
	}
}
