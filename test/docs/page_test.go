package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// page is one Markdown file.
type page struct {
	file string // relative to the root
	text string
}

// allPages gives README and the like, and everything below docs.
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
	for _, p := range allPages(t) {
		if p.file == file {
			return p
		}
	}
	t.Fatalf("there is no page %s", file)
	return page{}
}
