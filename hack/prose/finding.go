package main

import (
	"fmt"
	"io"
	"path"
	"strings"
)

// finding is one place that breaks a rule.
type finding struct {
	file string // relative to the root; a commit id for a commit subject
	line int    // zero for a commit subject
	text string // what was found, and what to write instead
}

func (f finding) String() string {
	if f.line == 0 {
		return f.file + ": " + f.text
	}
	return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.text)
}

// dir returns the directory whose allowance f counts against.
func (f finding) dir() string { return path.Dir(f.file) }

// list prints the findings in files whose name begins with prefix. The prefix "." lists all.
func list(out io.Writer, found []finding, prefix string) {
	prefix = strings.TrimPrefix(strings.TrimPrefix(prefix, "."), "/")
	n := 0
	for _, f := range found {
		if strings.HasPrefix(f.file, prefix) {
			fmt.Fprintln(out, f)
			n++
		}
	}
	fmt.Fprintf(out, "%d findings\n", n)
}

// report prints why a directory fails. If lines of the directory changed since the base, only findings in those are printed.
func report(out io.Writer, dir string, found []finding, allowed int, changed lineSet, top int) {
	var all, recent []finding
	for _, f := range found {
		if f.dir() != dir {
			continue
		}
		all = append(all, f)
		if changed.has(f.file, f.line) {
			recent = append(recent, f)
		}
	}
	fmt.Fprintf(out, "%s: %d findings, %d allowed\n", dir, len(all), allowed)
	shown := recent
	if len(shown) == 0 {
		shown = all
	}
	for _, f := range shown[:min(top, len(shown))] {
		fmt.Fprintln(out, "  "+f.String())
	}
	if len(shown) > top {
		fmt.Fprintf(out, "  and %d more: go run ./hack/prose -list %s/\n", len(shown)-top, dir)
	}
}
