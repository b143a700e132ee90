package house

import (
	"slices"
	"strings"
	"testing"
)

// mayImport is the table of docs/architecture.md. It maps a package to the packages of this module that it and its
// sub-packages may import. A package that is not in the table may import none. cmd and test may import all.
var mayImport = map[string][]string{
	"api":    {},
	"config": {},
	// model: object references in Reports; affinity: the keys of the key Secret.
	"controllers":   {"pkg/publish", "pkg/translate", "api", "pkg/affinity", "pkg/htpasswd", "pkg/model", "config"},
	"pkg/manifest":  {"pkg/publish", "pkg/translate", "api", "pkg/model", "config"},
	"pkg/publish":   {"pkg/translate", "pkg/routing", "pkg/upstream", "pkg/certs", "pkg/observe", "pkg/model"},
	"pkg/translate": {"pkg/model", "pkg/pattern", "pkg/variable", "pkg/htpasswd", "api"},
	"pkg/proxy": {
		"pkg/exchange", "pkg/filter", "pkg/routing", "pkg/affinity", "pkg/http1", "pkg/http2", "pkg/certs", "pkg/memory",
		"pkg/observe", "pkg/model",
	},
	"pkg/exchange": {
		"pkg/routing", "pkg/filter", "pkg/upstream", "pkg/affinity", "pkg/http1", "pkg/http2", "pkg/certs", "pkg/memory",
		"pkg/observe", "pkg/model", "pkg/subrequest", "pkg/tracing",
	},
	"pkg/routing":    {"pkg/model", "pkg/affinity", "pkg/filter", "pkg/upstream", "pkg/pattern", "pkg/shards"},
	"pkg/filter":     {"pkg/model", "pkg/http1", "pkg/htpasswd", "pkg/pattern", "pkg/variable"},
	"pkg/htpasswd":   {},
	"pkg/pattern":    {},
	"pkg/variable":   {},
	"pkg/subrequest": {"pkg/filter", "pkg/upstream"},
	"pkg/tracing":    {},
	"pkg/upstream":   {"pkg/model", "pkg/http1", "pkg/http2", "pkg/memory", "pkg/sketch"},
	"pkg/sketch":     {},
	"pkg/sessions":   {"pkg/upstream", "pkg/sketch", "pkg/peers", "pkg/model"},
	"pkg/peers":      {},
	"pkg/http2":      {"pkg/http1", "pkg/memory"}, // the header field types are shared (ADR 38)
	"pkg/affinity":   {"pkg/model"},
	"pkg/certs":      {"pkg/model", "pkg/shards"},
	"pkg/shards":     {},
	"pkg/observe":    {"pkg/model", "pkg/affinity"}, // outcomes are metric labels
	"pkg/admin": {
		"pkg/routing", "pkg/upstream", "pkg/affinity", "pkg/observe", "pkg/sessions", "pkg/status", "pkg/model",
	},
	// It shares no Go types with the listener: the commands know them.
	"pkg/adminclient": {},
	"hack":            {"pkg/translate"}, // hack/docs writes the table of annotations
	"pkg/status":      {"pkg/model", "pkg/upstream"},
	"pkg/preview":     {"pkg/translate", "pkg/model"},
	"pkg/explain": {
		"pkg/exchange", "pkg/filter", "pkg/routing", "pkg/upstream", "pkg/affinity", "pkg/model",
	},
}

// foreign maps a package to the path prefixes that it may import from other modules. Packages not listed may import
// any.
var foreign = map[string][]string{
	"pkg/model":       {},
	"pkg/http1":       {},
	"pkg/memory":      {},
	"pkg/pattern":     {},
	"pkg/variable":    {},
	"pkg/htpasswd":    {"golang.org/x/crypto/bcrypt", "github.com/go-crypt/x/crypt"},
	"pkg/shards":      {},
	"pkg/peers":       {},
	"pkg/sketch":      {"github.com/axiomhq/hyperloglog"},
	"pkg/adminclient": {},
	"pkg/http2":       {"golang.org/x/net/http2/hpack"},
	"pkg/translate": {
		"k8s.io/api/", "k8s.io/apimachinery/",
	},
	"api": {"k8s.io/apimachinery/"},
}

// cluster lists the modules that talk to the API server. Only controllers and cmd may import them.
var cluster = []string{"sigs.k8s.io/controller-runtime", "k8s.io/client-go"}

func TestImports_followRules(t *testing.T) {
	for _, p := range packages(t) {
		from := tableKey(p.relPath())
		if from == "cmd" || from == "test" {
			continue
		}
		for _, path := range p.Imports {
			if why := refuse(from, path); why != "" {
				t.Errorf("%s imports %s: %s", p.relPath(), path, why)
			}
		}
	}
}

// With a template, the linker keeps every exported method of every type, and the binary is half as large again.
func TestImports_noTemplates(t *testing.T) {
	for _, p := range packages(t) {
		from := tableKey(p.relPath())
		if from == "hack" || from == "test" {
			continue
		}
		for _, path := range p.Imports {
			if path == "text/template" || path == "html/template" {
				t.Errorf("%s imports %s, which makes the binary much larger", p.relPath(), path)
			}
		}
	}
}

// refuse returns why a package may not import a path, or "" if it may.
func refuse(from, path string) string {
	if to := inModule(path); to != "" {
		if to = tableKey(to); to == from || slices.Contains(mayImport[from], to) {
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

// tableKey returns the key of a package in the table: "pkg/model" for "pkg/model/x", "cmd" for "cmd/limpet".
func tableKey(path string) string {
	parts := strings.Split(path, "/")
	if parts[0] == "pkg" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// isStd reports whether a path is in the standard library: its first element has no dot.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func hasPrefix(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

func TestRefuse_cases(t *testing.T) {
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
