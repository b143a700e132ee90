package manifest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Limits on input. Some are variables for tests.
const (
	maxDocument = 4 << 20 // bytes of one document, or of one item of a List
	maxRead     = 8 << 30 // bytes of one file
)

var (
	maxRetained = 256 << 20 // bytes of all objects that are read
	maxFiles    = 65536     // below one directory
)

// list returns the files to read in sorted order, and the links to directories as skipped.
func list(dir string) (files []string, skipped []Skipped, err error) {
	root, err := filepath.EvalSymlinks(dir) // WalkDir does not follow dir itself
	if err != nil {
		return nil, nil, fmt.Errorf("reading manifests: %w", err)
	}
	l := lister{dir: dir, root: root}
	err = filepath.WalkDir(root, l.visit)
	return l.files, l.skipped, err
}

// lister collects the files below root, the resolved path of dir.
type lister struct {
	dir, root string
	files     []string
	skipped   []Skipped
}

// visit implements fs.WalkDirFunc.
func (l *lister) visit(path string, entry fs.DirEntry, err error) error {
	if err != nil {
		return fmt.Errorf("reading manifests: %w", err)
	}
	switch {
	case path == l.root && !entry.IsDir():
		return l.add(path)
	case path == l.root:
		return nil
	case strings.HasPrefix(entry.Name(), ".") && entry.IsDir():
		return fs.SkipDir
	case strings.HasPrefix(entry.Name(), "."), entry.IsDir():
		return nil
	case isLinkToDirectory(path, entry):
		l.skipped = append(l.skipped, Skipped{displayPath(l.dir, l.root, path), 0, "symbolic links to directories are not followed"})
		return nil
	case isManifest(path):
		return l.add(path)
	}
	return nil
}

func (l *lister) add(path string) error {
	l.files = append(l.files, displayPath(l.dir, l.root, path))
	if len(l.files) > maxFiles {
		return &Error{l.dir, 0, fmt.Sprintf("found more than %d manifests", maxFiles)}
	}
	return nil
}

func isLinkToDirectory(path string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// displayPath returns a path below root relative to dir, as the user wrote it.
func displayPath(dir, root, path string) string {
	below, err := filepath.Rel(root, path)
	if err != nil {
		return path
	}
	return filepath.Join(dir, below)
}

// isManifest reports whether the name of a file is one that kubectl apply reads, in upper case, too.
func isManifest(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// openFile opens a regular file. Other files are rejected, because reading a pipe or device could block.
func openFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{path, 0, "not a regular file"}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	return file, nil
}
