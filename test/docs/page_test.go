package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// page is a Markdown file.
type page struct {
	file string // relative to the root
	text string
}

// allPages returns the Markdown files in the root and below docs.
func allPages(t *testing.T) []page {
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
		t.Fatalf("found only %d pages (%v)", len(files), err)
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
	for _, p := range allPages(t) {
		if p.file == file {
			return p
		}
	}
	t.Fatalf("page %s not found", file)
	return page{}
}
