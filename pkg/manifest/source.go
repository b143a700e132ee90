package manifest

import (
	"crypto/sha256"
	"fmt"
	"io"
	"path/filepath"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// Contents is what manifests contain.
type Contents struct {
	// Snapshot has the objects, and a Report for each file and object with errors.
	Snapshot *translate.Snapshot
	// Skipped are the objects and files that were ignored.
	Skipped []Skipped
}

// Load reads files and directories. "-" is standard input, which is stdin. In directories, Load reads all *.yaml, *.yml and
// *.json files. A file that is named itself may have any name.
//
// Files and directories whose names start with a dot are ignored: editors, git, and the kubelet's ConfigMap volumes
// use them. Symbolic links to files are followed, links to directories are not.
//
// Invalid objects are set aside and reported. If a file cannot be used at all, Load returns no contents. The error then joins one
// *Error for each problem.
func Load(paths []string, stdin io.Reader) (*Contents, error) {
	s := &Source{paths: paths, stdin: stdin}
	m, err := s.read()
	if err != nil {
		return nil, err
	}
	if err := join(m.fileErrors()); err != nil {
		return nil, err
	}
	return m.result(), nil
}

// Source reads a directory again and again. It remembers the last valid contents of each file. It is not safe for concurrent use.
type Source struct {
	paths []string
	stdin io.Reader
	files map[string]*manifestFile // as read last
}

// NewSource returns a Source for a directory or file.
func NewSource(dir string) *Source { return &Source{paths: []string{dir}} }

// Load reads the directory. Unlike Reload, it returns no contents if anything is invalid.
func (s *Source) Load() (*Contents, error) {
	m, err := s.read()
	if err != nil {
		return nil, err
	}
	if err := join(m.errors()); err != nil {
		return nil, err
	}
	return m.result(), nil
}

// Reload reads the files that have changed. A file that has become invalid keeps the objects of its last valid text. A new one
// that is invalid has no objects. The error joins the problems of all files. Contents are nil only if the directory cannot be
// read.
func (s *Source) Reload() (*Contents, error) {
	m, err := s.read()
	if err != nil {
		return nil, err
	}
	return m.result(), join(m.errors())
}

// read reads all files, and merges their objects.
func (s *Source) read() (*merge, error) {
	m := newMerge()
	names, err := s.list(&m.skipped)
	if err != nil {
		return nil, err
	}
	files, changed := map[string]*manifestFile{}, []*manifestFile(nil)
	scan := newScanner()
	for _, name := range names {
		f := s.readFile(scan, name)
		if files[name] = f; f != s.files[name] {
			changed = append(changed, f)
		}
	}
	decodeFiles(changed)
	for _, f := range changed {
		if len(f.faults) == 0 {
			f.good = f.entries
		}
	}
	s.files = files
	s.merge(m, names)
	return m, nil
}

// merge adds valid files first, so that an object may move from a file that has become invalid to another.
func (s *Source) merge(m *merge, names []string) {
	for _, name := range names {
		m.add(s.files[name], s.files[name].entries)
	}
	for _, name := range names {
		if f := s.files[name]; len(f.faults) > 0 {
			m.addMissing(f.good)
		}
	}
}

// list returns the names of the files to read, without duplicates.
func (s *Source) list(skipped *skips) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for _, path := range s.paths {
		names := []string{path}
		if path != "-" || s.stdin == nil {
			found, ignored, err := list(path)
			if err != nil {
				return nil, err
			}
			for _, one := range ignored {
				skipped.add(one)
			}
			names = found
		}
		for _, name := range names {
			absolute, err := filepath.Abs(name)
			if err != nil {
				return nil, fmt.Errorf("reading manifests: %w", err)
			}
			if !seen[absolute] {
				seen[absolute], out = true, append(out, name)
			}
		}
	}
	return out, nil
}

// readFile splits a file into documents, or returns what is known already if its text is the same.
func (s *Source) readFile(scan *scanner, name string) *manifestFile {
	if name == "-" && s.stdin != nil {
		f := &manifestFile{name: "standard input"}
		f.scan(scan, s.stdin)
		return f
	}
	before := s.files[name]
	f := &manifestFile{name: name}
	if before != nil {
		f.good = before.good
	}
	file, err := openFile(name)
	if err != nil {
		f.fail(err)
		return f
	}
	defer file.Close()
	if before != nil {
		digest := sha256.New()
		if _, err := io.Copy(digest, io.LimitReader(file, maxRead)); err == nil && [32]byte(digest.Sum(nil)) == before.digest {
			return before
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			f.fail(fmt.Errorf("reading manifests: %w", err))
			return f
		}
	}
	digest := sha256.New()
	f.scan(scan, io.TeeReader(file, digest))
	f.digest = [32]byte(digest.Sum(nil))
	return f
}

// scan splits the text into documents.
func (f *manifestFile) scan(scan *scanner, r io.Reader) {
	docs, skipped, err := scan.scan(f.name, r)
	if err != nil {
		f.fail(err)
		return
	}
	f.docs, f.skipped = docs, skipped
}
