package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	linked  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced  = regexp.MustCompile("(?s)```.*?```")
	noise   = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

func TestLinks_resolve(t *testing.T) {
	n := 0
	for _, p := range allPages(t) {
		for _, m := range linked.FindAllStringSubmatch(fenced.ReplaceAllString(p.text, ""), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			n++
			target, anchor, _ := strings.Cut(m[1], "#")
			file := p.file
			if target != "" {
				file = filepath.Join(filepath.Dir(p.file), target)
			}
			text, err := os.ReadFile(filepath.Join(root, file))
			if err != nil {
				t.Errorf("%s links to %s: %v", p.file, m[1], err)
				continue
			}
			if anchor != "" && !hasAnchor(string(text), anchor) {
				t.Errorf("%s links to %s, but %s has no such heading", p.file, m[1], file)
			}
		}
	}
	if n < 30 {
		t.Errorf("%d links in all: they are not found", n)
	}
}

// hasAnchor knows headings as GitHub makes anchors of them.
func hasAnchor(text, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		name := noise.ReplaceAllString(strings.ToLower(m[1]), "")
		if strings.ReplaceAll(name, " ", "-") == anchor {
			return true
		}
	}
	return false
}

func TestPages_areLinked(t *testing.T) {
	linkedTo := map[string]bool{"README.md": true}
	for _, p := range allPages(t) {
		for _, m := range linked.FindAllStringSubmatch(p.text, -1) {
			target, _, _ := strings.Cut(m[1], "#")
			linkedTo[filepath.Join(filepath.Dir(p.file), target)] = true
		}
	}
	for _, p := range allPages(t) {
		if !linkedTo[p.file] {
			t.Errorf("no page leads to %s", p.file)
		}
	}
}
