package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/limpet-dev/limpet"

// listed is the output of go list for one package.
type listed struct {
	ImportPath string
	Dir        string
	Name       string
	Doc        string   // the first sentence of the package comment
	Imports    []string // of the package itself, not of its tests
	GoFiles    []string
}

// relPath returns the path of the package in the module, such as "pkg/model".
func (p *listed) relPath() string { return inModule(p.ImportPath) }

// inModule returns the directory of an import path, or "" if it is in another module.
func inModule(path string) string {
	dir, _ := strings.CutPrefix(path, module)
	if dir == path {
		return ""
	}
	return strings.TrimPrefix(dir, "/")
}

// packages returns all packages of the module.
func packages(t *testing.T) []*listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Name,Doc,Imports,GoFiles", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []*listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(listed)
		if err := dec.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found only %d packages", len(all))
	}
	return all
}

func TestPackages_haveDocs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.relPath())
		}
		if p.Name == "main" || len(p.GoFiles) == 1 {
			continue // documented in main.go or in the only file
		}
		if _, err := os.Stat(filepath.Join(p.Dir, "doc.go")); err != nil {
			t.Errorf("%s has no doc.go: %v", p.relPath(), err)
		}
	}
}
