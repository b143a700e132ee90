package routing

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// protectedTable has an open route for each path, and closed routes of the same Service. Words are as in routes. A word that
// ends with "!" is closed.
func protectedTable(words ...string) *Table {
	list := routes(words...)
	for i := range list {
		r := &list[i]
		r.Backends[0].Pool.Service = "app"
		r.Source = model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: "open"}
		if path, isClosed := strings.CutSuffix(r.Path, "!"); isClosed {
			r.Path, r.Closed, r.Source.Name = path, "auth-url is not enforced", "closed"
		}
	}
	return Compile(&model.Model{Routes: list}, upstream.NewRegistry(), nil, time.Time{})
}

// outcome returns the path of the route, or "refused".
func (t *Table) outcome(host, path string) string {
	switch r := t.Match([]byte(host), []byte(path), nil); r {
	case nil:
		return ""
	case ambiguousPath:
		return "refused"
	default:
		return r.Path
	}
}

// adminSpellings are normalized paths that some server takes for /admin or for a path below it.
var adminSpellings = []string{
	"/admin", "/admin/", "/admin/x", "//admin", "///admin", "/admin//x", "/%2Fadmin", "/admin%2F", "/admin%2Fx", "/ADMIN",
	"/Admin/x", "/admin;x", "/admin;x/y", "/;x/admin", "/;/admin", "/admin%3Bx", "/%5Cadmin", "/admin%5Cx", "/%2561dmin",
	"/%252fadmin", "/admin%252Fx", "/%25252fadmin", "/admin%20", "/admin%09", "/adm%0Ain", "/admin.", "/admin./x", "/admin...",
	"/admin%3F", "/admin%3Fx/y", "/admin%23", "/%C0%AFadmin", "/%C1%A1dmin", "/%EF%BC%8Fadmin", "/%EF%BD%81dmin",
	"/admin%EF%BC%9Bx", "/aDMIN",
}

func TestGuard_spellings(t *testing.T) {
	for _, kind := range []string{"Prefix", "Exact", "Pattern"} {
		table := protectedTable("Prefix:/", kind+":/admin!")
		if kind == "Pattern" {
			table = protectedTable("Pattern:/", "Pattern:/admin!")
		}
		for _, path := range adminSpellings {
			if kind == "Exact" && strings.Contains(strings.Trim(path, "/"), "/") || kind == "Exact" && strings.HasSuffix(path, "x") {
				continue
			}
			if got := table.outcome("a.example", path); got != "/admin" {
				t.Errorf("%s: %s is handled by %q", kind, path, got)
			}
		}
		for _, path := range []string{"/", "/x", "/x/admin", "/adm", "/%61", "/adm/in", "/X/Admin", "//x", "/x%3Fadmin", "/*"} {
			if got := table.outcome("a.example", path); got != "/" {
				t.Errorf("%s: %s is handled by %q", kind, path, got)
			}
		}
	}
}

func TestGuard_cases(t *testing.T) {
	for _, c := range []struct{ words, path, want string }{
		// A path is more specific than the protected one.
		{"Prefix:/ Prefix:/admin! Prefix:/admin/public", "/admin//public", "/admin"},
		{"Prefix:/ Prefix:/admin! Prefix:/admin/public", "/ADMIN/x", "/admin"},
		// The author distinguishes the spellings.
		{"Prefix:/Admin Prefix:/admin!", "/Admin/x", "/Admin"},
		{"Prefix:/Admin Prefix:/admin!", "/ADMIN/x", ""},
		// The open route is the more specific one.
		{"Prefix:/! Prefix:/public", "/Public", "/"},
		{"Prefix:/! Prefix:/public", "//public", "/"},
		{"Prefix:/! Prefix:/public", "/public/X", "/public"},
		{"Prefix:/! Prefix:/public", "/public;x", "/"},
		// The protected path is not folded itself.
		{"Prefix:/ Prefix:/Admin!", "/admin/x", "/Admin"},
		{"Prefix:/ Prefix:/Admin!", "/ADMIN", "/Admin"},
		{"Prefix:/ Prefix:/caf%C3%A9/Menu!", "/caf%C3%A9/menu", "/caf%C3%A9/Menu"},
		{"Prefix:/ Exact:/admin/!", "/admin", "/admin/"},
		{"Prefix:/ Exact:/Admin!", "/admin", "/Admin"},
		{"Prefix:/ Exact:/Admin!", "/admin/x", "/"},
		{"Prefix:/Admin! Prefix:/admin", "/admin", "/admin"},
		{"Prefix:a.example/Admin! Prefix:*.example/", "/admin", "/Admin"},
		// The path leads out of its route.
		{"Prefix:/ Prefix:/admin!", "/x/%252e%252e/admin", "refused"},
		{"Prefix:/ Prefix:/admin!", "/%252e/x", "refused"},
		{"Prefix:/ Prefix:/admin", "/x/%252e%252e/admin", "/"},
		// Both meanings of a "?" count.
		{"Prefix:/ Prefix:/a/b!", "/a%3F/%252e%252e/b", "refused"},
		{"Prefix:/ Exact:/a!", "/A%3Fx", "/a"},
		// Hosts.
		{"Prefix:a.example/admin! Prefix:*.example/", "//admin", "/admin"},
		{"Prefix:a.example/ Prefix:*.example/admin!", "/ADMIN", "/"},
		{"Prefix:a.example/ Prefix:b.example/admin!", "/ADMIN", "/"},
	} {
		if got := protectedTable(strings.Fields(c.words)...).outcome("a.example", c.path); got != c.want {
			t.Errorf("%s: %s is handled by %q, want %q", c.words, c.path, got, c.want)
		}
	}
}

// Routes of other Services are meant by the spellings of ingress-nginx only.
func TestGuard_otherService(t *testing.T) {
	list := routes("Prefix:/", "Prefix:/help")
	list[1].Limits, list[1].Closed = nil, ""
	table := Compile(&model.Model{Routes: list}, upstream.NewRegistry(), nil, time.Time{})
	table.Match(nil, []byte("/help"), nil).isProtected = true
	table.any.guard = newGuard(table.any.host)
	table.guards = 1
	for path, want := range map[string]string{"/Help": "/", "/help;x": "/", "//help": "/help", "/%2Fhelp/x": "/help", "/%2FHelp": "/"} {
		if got := table.outcome("", path); got != want {
			t.Errorf("%s is handled by %q, want %q", path, got, want)
		}
	}
}

// Two protected routes have different requirements, so neither may handle a request for the other.
func TestGuard_bothProtected(t *testing.T) {
	list := routes("Prefix:/", "Prefix:/admin", "Prefix:/api")
	for i, name := range []string{"a", "b", "a"} {
		list[i].Closed, list[i].Source.Name = "closed", name
	}
	table := Compile(&model.Model{Routes: list}, upstream.NewRegistry(), nil, time.Time{})
	for path, want := range map[string]string{"/x": "/", "//api": "/", "//admin": "refused", "/API": "/"} {
		if got := table.outcome("", path); got != want {
			t.Errorf("%s is handled by %q, want %q", path, got, want)
		}
	}
}

// A change of a table keeps the number of guards.
func TestGuard_afterChange(t *testing.T) {
	table := protectedTable("Prefix:/", "Prefix:/admin!", "Prefix:b.example/admin!")
	table = table.With([]model.HostChange{{Name: "b.example"}}, upstream.NewRegistry(), time.Time{})
	if got := table.outcome("", "//admin"); got != "/admin" || table.guards != 1 {
		t.Errorf("got %q with %d guards", got, table.guards)
	}
	table = table.With([]model.HostChange{{Name: "", Routes: routes("Prefix:/")}}, upstream.NewRegistry(), time.Time{})
	if got := table.outcome("", "//admin"); got != "/" || table.guards != 0 {
		t.Errorf("got %q with %d guards", got, table.guards)
	}
	table = protectedTable("Prefix:/", "Prefix:b.example/Admin!")
	table = table.With([]model.HostChange{{Name: "b.example"}}, upstream.NewRegistry(), time.Time{})
	if table.guards != 0 || table.unfolded != 0 {
		t.Errorf("without protected routes: %d guards, %d of them not folded", table.guards, table.unfolded)
	}
}

func TestIsPlain(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/a": true, "/a/b.js": true, "/a-b/c_d~e": true, "/.well-known/x": true, "/a/": false, "//": false, "/a//b": false,
		"/A": false, "/a;b": false, "/%20": false, "/a./b": false, "/a.": false, "": false,
	} {
		if got := isPlain([]byte(path)); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
}

// respell returns another spelling of a path that some server takes for the same.
func respell(random *rand.Rand, path string) string {
	var out strings.Builder
	for i := range len(path) {
		c := path[i]
		switch n := random.IntN(12); {
		case n == 0 && c == '/':
			out.WriteString([]string{"//", "/;x/", "/;/", "%2F", "%5C", "%252F", "%255c"}[random.IntN(7)])
		case n == 1 && c != '/':
			out.WriteString(strings.ToUpper(string(c)))
		case n == 2 && c != '/':
			out.WriteString("%25" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
		case n == 3 && c == '/' && i > 0:
			out.WriteString([]string{";x/", "%20/", "./", "%09/"}[random.IntN(4)])
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// No spelling of a protected path reaches the open route of its pods.
func TestGuard_everySpelling(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	tables := []*Table{
		protectedTable("Prefix:/", "Prefix:/admin!"),
		protectedTable("Pattern:/", "Pattern:/admin!"),
		protectedTable("Prefix:/", "Pattern:/admin(/|$)!"),
		protectedTable("Prefix:a.example/admin!", "Prefix:*.example/"),
	}
	for range 20_000 {
		path := respell(random, []string{"/admin", "/admin/", "/admin/users/x"}[random.IntN(3)])
		for i, table := range tables {
			if got := table.outcome("a.example", path); !strings.HasPrefix(got, "/admin") && got != "refused" && got != "" {
				t.Fatalf("table %d: %s is handled by %q", i, path, got)
			}
		}
	}
}

// FuzzGuard checks that folding does not panic or add bytes, and that a plain path is its own fold.
func FuzzGuard(f *testing.F) {
	for _, path := range adminSpellings {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		path = "/" + path
		once := fold(nil, []byte(path))
		if isPlain([]byte(path)) && string(once.text) != path {
			t.Fatalf("%q is plain and folds to %q", path, once.text)
		}
		if len(once.text) > len(path)+1 {
			t.Fatalf("%q folds to %q", path, once.text)
		}
	})
}

func TestGuard_allocatesNothing(t *testing.T) {
	table := protectedTable("Prefix:/", "Prefix:/admin!")
	for _, path := range []string{"/x", "/Assets/app.js", "/x/"} {
		if n := testing.AllocsPerRun(100, func() { table.Match(nil, []byte(path), nil) }); n > 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

func BenchmarkMatch_guard(b *testing.B) {
	for name, words := range map[string][]string{"open": {"Prefix:/"}, "protected": {"Prefix:/", "Prefix:/admin!"}} {
		table := protectedTable(words...)
		for _, path := range []string{"/api/v1/carts/42", "/Api/v1/carts/42/"} {
			b.Run(name+path, func(b *testing.B) {
				text := []byte(path)
				for b.Loop() {
					table.Match(nil, text, nil)
				}
			})
		}
	}
}
