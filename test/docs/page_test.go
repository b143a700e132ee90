package docs

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// page is one Markdown file.
type page struct {
	file string // relative to the root
	text string
}

// step is a block with the directive that stands before it, or a directive alone.
type step struct {
	line      int    // of the directive
	mode      string // "run"
	args      []string
	language  string // of the block; "" for a directive alone
	body      string
	directive bool // false: a block that nobody says how to test
}

// pages gives README and the like, and everything below docs.
func pages(t *testing.T) []page {
	t.Helper()
	files := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" && !entry.IsDir() {
			path, err = filepath.Rel(root, path)
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 20 {
		t.Fatalf("%d pages (%v): docs is not where it was", len(files), err)
	}
	var out []page
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page{file, string(text)})
	}
	return out
}

func readPage(t *testing.T, file string) page {
	t.Helper()
	for _, p := range pages(t) {
		if p.file == file {
			return p
		}
	}
	t.Fatalf("there is no page %s", file)
	return page{}
}

var directive = regexp.MustCompile(`^<!-- test: (.+) -->$`)

// steps gives the blocks and directives of a page in their order.
func (p page) steps() []step {
	var out []step
	var pending *step
	flush := func() {
		if pending != nil {
			out = append(out, *pending)
			pending = nil
		}
	}
	lines := strings.Split(p.text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		switch m := directive.FindStringSubmatch(line); {
		case m != nil:
			flush()
			words := strings.Fields(m[1])
			pending = &step{line: i + 1, mode: words[0], args: words[1:], directive: true}
		case strings.HasPrefix(line, "```"):
			if pending == nil {
				pending = &step{line: i + 1}
			}
			pending.language = strings.TrimPrefix(line, "```")
			i, pending.body = block(lines, i+1)
			flush()
		case line != "":
			flush()
		}
	}
	flush()
	return out
}

// block gives the lines up to the fence, and where that is.
func block(lines []string, from int) (end int, body string) {
	var b bytes.Buffer
	for i := from; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) == "```" {
			return i, b.String()
		}
		b.WriteString(lines[i] + "\n")
	}
	return len(lines), b.String()
}

func TestStepsOfAPage(t *testing.T) {
	got := page{text: "text\n\n<!-- test: pods 1 2 -->\n\n<!-- test: run -->\n```sh\na\nb\n```\ntext\n\n```yaml\nc\n```\n"}.steps()
	want := []step{
		{line: 3, mode: "pods", args: []string{"1", "2"}, directive: true},
		{line: 5, mode: "run", args: []string{}, language: "sh", body: "a\nb\n", directive: true},
		{line: 12, language: "yaml", body: "c\n"},
	}
	if diff := cmpSteps(got, want); diff != "" {
		t.Error(diff)
	}
}
