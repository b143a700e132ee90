package manifest

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// Limits on input.
const (
	maxFileBytes  = 4 << 20
	maxTotalBytes = 64 << 20
	maxFiles      = 4096
)

// Load reads all *.yaml and *.yml files below dir. If dir is a file, Load reads that file, whatever its name.
//
// Files and directories whose names start with a dot are ignored: editors, git, and the kubelet's ConfigMap volumes
// use them. Symbolic links to files are followed, links to directories are not.
//
// If anything is invalid, Load returns no objects. The error then joins one *Error for each problem.
func Load(dir string) (*translate.Snapshot, []Skipped, error) {
	files, skipped, err := list(dir)
	if err != nil {
		return nil, nil, err
	}
	r := newReader()
	r.skipped = skipped
	texts, total := make([][]byte, len(files)), 0
	for i, file := range files {
		if texts[i], err = readFile(file); err != nil {
			r.errs = append(r.errs, err)
		}
		if total += len(texts[i]); total > maxTotalBytes {
			return nil, nil, &Error{dir, 0, fmt.Sprintf("the manifests exceed %d MiB in total", maxTotalBytes>>20)}
		}
	}
	for i, file := range files {
		r.read(file, texts[i])
	}
	snapshot, skipped, err := r.result()
	if err != nil {
		return nil, nil, err
	}
	snapshot.Now = time.Now()
	return snapshot, skipped, nil
}

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

func isManifest(path string) bool {
	extension := filepath.Ext(path)
	return extension == ".yaml" || extension == ".yml"
}

// readFile reads at most maxFileBytes of a regular file. Other files are rejected, because reading a pipe or device
// could block.
func readFile(path string) ([]byte, error) {
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
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading manifests: %w", err)
	}
	if len(text) > maxFileBytes {
		return nil, &Error{path, 0, fmt.Sprintf("file exceeds %d MiB", maxFileBytes>>20)}
	}
	return text, nil
}
