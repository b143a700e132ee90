package docs

import (
	"context"
	"io"
	"strings"
	"testing"
)

func readAll(r io.Reader) string {
	text, _ := io.ReadAll(r) // a part is compared
	return string(text)
}

// output runs the commands of a block, which follow "$ ", and compares what they print with the lines below them. Three dots in
// a line match any text. The commands may fail: their output must show it.
func (s *session) output(t *testing.T, body string) {
	t.Helper()
	for part := range strings.SplitSeq("\n"+body, "\n$ ") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		script, want, _ := strings.Cut(part, "\n")
		for strings.HasSuffix(script, "\\") {
			var next string
			next, want, _ = strings.Cut(want, "\n")
			script += "\n" + next
		}
		got, _ := command(context.WithoutCancel(t.Context()), s.dir, script).CombinedOutput()
		if !matchesOutput(string(got), want) {
			t.Errorf("%s prints\n%s\nwant\n%s", script, got, want)
		}
	}
}

// matchesOutput compares texts line by line, without the blanks at their ends.
func matchesOutput(got, want string) bool {
	gots, wants := strings.Split(strings.TrimRight(got, "\n"), "\n"), strings.Split(strings.TrimRight(want, "\n"), "\n")
	if len(gots) != len(wants) {
		return false
	}
	for i := range wants {
		if !matchesLine(strings.TrimRight(gots[i], " "), strings.TrimRight(wants[i], " ")) {
			return false
		}
	}
	return true
}

func matchesLine(got, want string) bool {
	parts := strings.Split(want, "...")
	rest, found := strings.CutPrefix(got, parts[0])
	if !found {
		return false
	}
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(rest, part)
		}
		if _, rest, found = strings.Cut(rest, part); !found {
			return false
		}
	}
	return rest == ""
}

func TestMatchesOutput(t *testing.T) {
	for _, c := range []struct {
		got, want string
		matches   bool
	}{
		{"a\nb\n", "a\nb", true}, {"a", "a\nb", false}, {"ab", "a", false}, {"started 2026-12-01", "started ...", true},
		{"x 1 y 2 z", "x ... y ... z", true}, {"x 1 z", "x ... y ... z", false}, {"x 1", "... 2", false}, {"a  ", "a", true},
	} {
		if got := matchesOutput(c.got, c.want); got != c.matches {
			t.Errorf("%q and %q: %v", c.got, c.want, got)
		}
	}
}
