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

// listed is what go list says about one package.
type listed struct {
	ImportPath string
	Dir        string
	Name       string
	Doc        string   // the first sentence of the package comment
	Imports    []string // of the package itself, not of its tests
	GoFiles    []string
}

// room is the package's path inside the module: "pkg/model".
func (p *listed) room() string { return inModule(p.ImportPath) }

// inModule gives an import path as a folder of this module, or "" for any other module.
func inModule(path string) string {
	room, _ := strings.CutPrefix(path, module)
	if room == path {
		return ""
	}
	return strings.TrimPrefix(room, "/")
}

// packages lists every package of the module.
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
		t.Fatalf("go list gives %d packages: it does not see the module", len(all))
	}
	return all
}

func TestEveryPackageSaysWhatItDecides(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.room())
		}
		if p.Name == "main" || len(p.GoFiles) == 1 {
			continue // main.go, or the one file, says it
		}
		if _, err := os.Stat(filepath.Join(p.Dir, "doc.go")); err != nil {
			t.Errorf("%s has no doc.go: %v", p.room(), err)
		}
	}
}
