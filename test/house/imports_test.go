package house

import (
	"slices"
	"strings"
	"testing"
)

// mayImport is the table of docs/architecture.md: room -> the rooms of this module that it and its sub-packages may import.
// A room that is not in the table may import none; cmd and test may import all.
var mayImport = map[string][]string{
	"api":    {},
	"config": {},
	// model names the objects that a Report is about; the keys of the key Secret go straight into affinity.Keys.
	"controllers":   {"pkg/publish", "pkg/translate", "api", "pkg/affinity", "pkg/model"},
	"pkg/manifest":  {"pkg/publish", "pkg/translate", "api", "pkg/model", "config"},
	"pkg/publish":   {"pkg/translate", "pkg/routing", "pkg/upstream", "pkg/certs", "pkg/observe", "pkg/model"},
	"pkg/translate": {"pkg/model", "api"},
	"pkg/proxy": {
		"pkg/exchange", "pkg/filter", "pkg/routing", "pkg/affinity", "pkg/http1", "pkg/http2", "pkg/certs", "pkg/observe",
		"pkg/model",
	},
	"pkg/exchange": {
		"pkg/routing", "pkg/filter", "pkg/upstream", "pkg/affinity", "pkg/http1", "pkg/http2", "pkg/certs", "pkg/observe",
		"pkg/model",
	},
	"pkg/routing":  {"pkg/model", "pkg/affinity", "pkg/filter", "pkg/upstream"},
	"pkg/filter":   {"pkg/model", "pkg/http1"},
	"pkg/upstream": {"pkg/model", "pkg/http1", "pkg/http2"},
	"pkg/http2":    {"pkg/http1"}, // whose fields are those of HTTP/2 too (ADR 38)
	"pkg/affinity": {"pkg/model"},
	"pkg/certs":    {"pkg/model"},
	"pkg/observe":  {"pkg/model", "pkg/affinity"}, // whose outcomes are its labels
	"pkg/admin":    {"pkg/routing", "pkg/upstream", "pkg/affinity", "pkg/observe"},
}

// foreign says what a room may import from other modules; a room that is not named may import any. Paths are prefixes.
var foreign = map[string][]string{
	"pkg/model": {},
	"pkg/http1": {},
	"pkg/http2": {"golang.org/x/net/http2/hpack"},
	"pkg/translate": {
		"k8s.io/api/", "k8s.io/apimachinery/",
	},
	"api": {"k8s.io/apimachinery/"},
}

// cluster are the modules that talk to the API server: only controllers may, and cmd, which starts them.
var cluster = []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go"}

func TestRoomsImportOnlyWhatTheTableAllows(t *testing.T) {
	for _, p := range packages(t) {
		from := roomOf(p.room())
		if from == "cmd" || from == "test" {
			continue
		}
		for _, path := range p.Imports {
			if why := refuse(from, path); why != "" {
				t.Errorf("%s imports %s: %s", p.room(), path, why)
			}
		}
	}
}

// refuse says why a room may not import a path, or "" where it may.
func refuse(from, path string) string {
	if to := inModule(path); to != "" {
		if to = roomOf(to); to == from || slices.Contains(mayImport[from], to) {
			return ""
		}
		return "docs/architecture.md does not let " + from + " import " + to
	}
	if isStd(path) {
		return ""
	}
	if from != "controllers" && hasPrefix(path, cluster) {
		return "only controllers and cmd talk to the API server"
	}
	if allowed, limited := foreign[from]; limited && !hasPrefix(path, allowed) {
		return from + " may import the standard library and these only: " + strings.Join(allowed, ", ")
	}
	return ""
}

// roomOf gives the folder that the table names: "pkg/model" of "pkg/model/x", "cmd" of "cmd/limpet".
func roomOf(path string) string {
	parts := strings.Split(path, "/")
	if parts[0] == "pkg" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// isStd tells the standard library from modules, whose first path element has a dot.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func hasPrefix(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

func TestRefuse(t *testing.T) {
	for _, c := range []struct {
		from, path string
		refused    bool
	}{
		{"pkg/model", "crypto/sha256", false},
		{"pkg/model", "k8s.io/api/core/v1", true},
		{"pkg/model", module + "/pkg/translate", true},
		{"pkg/translate", "k8s.io/api/core/v1", false},
		{"pkg/translate", "k8s.io/client-go/tools/cache", true},
		{"pkg/proxy", module + "/pkg/affinity", false},
		{"pkg/proxy", module + "/pkg/translate", true},
		{"pkg/proxy", module + "/controllers", true},
		{"pkg/proxy", module + "/pkg/exchange", false},
		{"pkg/exchange", module + "/pkg/proxy", true},
		{"pkg/filter", module + "/pkg/exchange", true},
		{"pkg/manifest", module + "/pkg/manifest/schema", false},
		{"controllers", "sigs.k8s.io/controller-runtime/pkg/client", false},
		{"pkg/publish", "sigs.k8s.io/controller-runtime/pkg/client", true},
	} {
		if got := refuse(c.from, c.path); (got != "") != c.refused {
			t.Errorf("refuse(%q, %q) = %q, want refused = %v", c.from, c.path, got, c.refused)
		}
	}
}
