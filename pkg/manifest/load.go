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

// Bounds of what is read.
const (
	maxFileBytes  = 4 << 20
	maxTotalBytes = 64 << 20
	maxFiles      = 4096
)

// Load makes a World of every *.yaml and *.yml file below dir, or of the one file that dir names. Files and folders
// whose names start with a dot are passed over: they belong to editors, to git, or to the kubelet, which keeps the
// versions of a ConfigMap so. A link to a file counts as the file; links to folders are not followed.
//
// On an error there is no World: the error holds one *Error for each thing that is wrong, with file and line.
func Load(dir string) (*translate.World, []Skipped, error) {
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
			return nil, nil, &Error{dir, 0, fmt.Sprintf("the manifests are larger than %d MiB together", maxTotalBytes>>20)}
		}
	}
	for i, file := range files {
		r.read(file, texts[i])
	}
	world, skipped, err := r.result()
	if err != nil {
		return nil, nil, err
	}
	world.Now = time.Now()
	return world, skipped, nil
}

// list gives the files to read, sorted, and names the links to folders.
func list(dir string) (files []string, skipped []Skipped, err error) {
	root, err := filepath.EvalSymlinks(dir) // WalkDir does not follow dir itself
	if err != nil {
		return nil, nil, fmt.Errorf("manifests: %w", err)
	}
	l := lister{dir: dir, root: root}
	err = filepath.WalkDir(root, l.visit)
	return l.files, l.skipped, err
}

// lister walks over the files below root, which dir leads to.
type lister struct {
	dir, root string
	files     []string
	skipped   []Skipped
}

func (l *lister) visit(path string, entry fs.DirEntry, err error) error {
	if err != nil {
		return fmt.Errorf("manifests: %w", err)
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
	case leadsToFolder(path, entry):
		l.skipped = append(l.skipped, Skipped{shown(l.dir, l.root, path), 0, "a link to a folder is not followed"})
		return nil
	case isManifest(path):
		return l.add(path)
	}
	return nil
}

func (l *lister) add(path string) error {
	l.files = append(l.files, shown(l.dir, l.root, path))
	if len(l.files) > maxFiles {
		return &Error{l.dir, 0, fmt.Sprintf("there are more than %d manifests", maxFiles)}
	}
	return nil
}

func leadsToFolder(path string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// shown gives a path below root as the user would write it.
func shown(dir, root, path string) string {
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

// readFile reads a regular file, and no more of it than is allowed. A pipe or a device could keep us waiting.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("manifests: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{path, 0, "is no regular file"}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("manifests: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("manifests: %w", err)
	}
	if len(text) > maxFileBytes {
		return nil, &Error{path, 0, fmt.Sprintf("is larger than %d MiB", maxFileBytes>>20)}
	}
	return text, nil
}
