package routing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// routes returns a route for each word: "Prefix:shop.example/cart", "Exact:/cart". The Service is named as the word.
func routes(words ...string) []model.Route {
	var all []model.Route
	for _, word := range words {
		kind, rest, _ := strings.Cut(word, ":")
		slash := strings.IndexByte(rest, '/')
		all = append(all, model.Route{
			Host: rest[:slash], Path: rest[slash:], PathType: model.PathType(kind),
			Backends: []model.Backend{{Pool: model.PoolID{Namespace: "shop", Service: word, Port: 80}, Weight: 1}},
		})
	}
	slices.SortFunc(all, func(a, b model.Route) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Path, b.Path), cmp.Compare(a.PathType, b.PathType))
	})
	return all
}

func tableOf(words ...string) *Table {
	return Compile(&model.Model{Routes: routes(words...)}, upstream.NewRegistry(), nil, time.Time{})
}

// matched returns the word of the route, or "".
func (t *Table) matched(host, path string) string {
	if r := t.Match([]byte(host), []byte(path), nil); r != nil {
		return fmt.Sprintf("%s:%s%s", r.PathType, r.Host, r.Path)
	}
	return ""
}

// https://kubernetes.io/docs/concepts/services-networking/ingress/#examples, row by row.
func TestMatch_documentedPaths(t *testing.T) {
	for _, c := range []struct{ words, path, want string }{
		{"Prefix:/", "/", "Prefix:/"},
		{"Prefix:/", "/all/paths", "Prefix:/"},
		{"Exact:/foo", "/foo", "Exact:/foo"},
		{"Exact:/foo", "/bar", ""},
		{"Exact:/foo", "/foo/", ""},
		{"Exact:/foo/", "/foo", ""},
		{"Prefix:/foo", "/foo", "Prefix:/foo"},
		{"Prefix:/foo", "/foo/", "Prefix:/foo"},
		{"Prefix:/foo/", "/foo", "Prefix:/foo/"},
		{"Prefix:/foo/", "/foo/", "Prefix:/foo/"},
		{"Prefix:/aaa/bb", "/aaa/bbb", ""},
		{"Prefix:/aaa/bbb", "/aaa/bbb", "Prefix:/aaa/bbb"},
		{"Prefix:/aaa/bbb/", "/aaa/bbb", "Prefix:/aaa/bbb/"},
		{"Prefix:/aaa/bbb", "/aaa/bbb/", "Prefix:/aaa/bbb"},
		{"Prefix:/aaa/bbb", "/aaa/bbb/ccc", "Prefix:/aaa/bbb"},
		{"Prefix:/aaa/bbb", "/aaa/bbbxyz", ""},
		{"Prefix:/ Prefix:/aaa", "/aaa/ccc", "Prefix:/aaa"},
		{"Prefix:/ Prefix:/aaa Prefix:/aaa/bbb", "/aaa/bbb", "Prefix:/aaa/bbb"},
		{"Prefix:/ Prefix:/aaa Prefix:/aaa/bbb", "/ccc", "Prefix:/"},
		{"Prefix:/aaa", "/ccc", ""},
		{"Prefix:/foo Exact:/foo", "/foo", "Exact:/foo"},
	} {
		if got := tableOf(strings.Fields(c.words)...).matched("any.example", c.path); got != c.want {
			t.Errorf("%s: %s matches %q, want %q", c.words, c.path, got, c.want)
		}
	}
}

func TestMatch_bySegment(t *testing.T) {
	table := tableOf("Prefix:/a", "Prefix:/a/b/c", "Prefix:/a//b", "Exact:/a/b", "Exact:/", "Prefix:/%2F/x")
	for path, want := range map[string]string{
		"/":                               "Exact:/",
		"":                                "",
		"*":                               "",
		"/a":                              "Prefix:/a",
		"/a/b":                            "Exact:/a/b",
		"/a/b/":                           "Prefix:/a",
		"/a/b/c":                          "Prefix:/a/b/c",
		"/a/b/cd":                         "Prefix:/a",
		"/a/b/c/d/e/f/g":                  "Prefix:/a/b/c",
		"/a//b":                           "Prefix:/a//b",
		"/a//b/c":                         "Prefix:/a//b",
		"//a":                             "",
		"/A":                              "",
		"/%2F/x/y":                        "Prefix:/%2F/x",
		"/ab":                             "",
		"/a" + strings.Repeat("/x", 5000): "Prefix:/a",
		"/" + strings.Repeat("x", 5000):   "",
		strings.Repeat("/", 5000):         "",
	} {
		if got := table.matched("", path); got != want {
			t.Errorf("%.40s matches %q, want %q", path, got, want)
		}
	}
	if got := tableOf("Prefix:/").matched("", "*"); got != "Prefix:/" {
		t.Errorf("the asterisk matches %q", got)
	}
}

// https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards, and beyond.
func TestMatch_hosts(t *testing.T) {
	for _, c := range []struct{ words, host, want string }{
		{"Prefix:*.foo.com/", "bar.foo.com", "Prefix:*.foo.com/"},
		{"Prefix:*.foo.com/", "baz.bar.foo.com", ""},
		{"Prefix:*.foo.com/", "foo.com", ""},
		{"Prefix:*.foo.com/", ".foo.com", ""},
		{"Prefix:*.foo.com/", "barfoo.com", ""},
		{"Prefix:foo.com/", "foo.com", "Prefix:foo.com/"},
		{"Prefix:foo.com/", "bar.foo.com", ""},
		{"Prefix:foo.com/", "", ""},
		{"Prefix:/", "", "Prefix:/"},
		{"Prefix:/", "foo.com", "Prefix:/"},
		{"Prefix:/", "[::1]", "Prefix:/"},
		{"Prefix:/ Prefix:*.foo.com/ Prefix:bar.foo.com/", "bar.foo.com", "Prefix:bar.foo.com/"},
		{"Prefix:/ Prefix:*.foo.com/ Prefix:bar.foo.com/", "baz.foo.com", "Prefix:*.foo.com/"},
		{"Prefix:/ Prefix:*.foo.com/ Prefix:bar.foo.com/", "foo.com", "Prefix:/"},
	} {
		if got := tableOf(strings.Fields(c.words)...).matched(c.host, "/x"); got != c.want {
			t.Errorf("%s: %q matches %q, want %q", c.words, c.host, got, c.want)
		}
	}
}

// A request falls through to the next host if no route of a host matches its path.
func TestMatch_fallsThroughHosts(t *testing.T) {
	table := tableOf("Exact:bar.foo.com/own", "Prefix:*.foo.com/wild", "Prefix:/any", "Prefix:*.foo.com/any/more")
	for path, want := range map[string]string{
		"/own": "Exact:bar.foo.com/own", "/own/x": "", "/wild/x": "Prefix:*.foo.com/wild", "/any/x": "Prefix:/any",
		"/any/more": "Prefix:*.foo.com/any/more", "/none": "",
	} {
		if got := table.matched("bar.foo.com", path); got != want {
			t.Errorf("%s matches %q, want %q", path, got, want)
		}
	}
}

// Both match the same requests: the longer one takes precedence.
func TestMatch_prefixWithSlash(t *testing.T) {
	table := tableOf("Prefix:/foo", "Prefix:/foo/")
	for _, path := range []string{"/foo", "/foo/", "/foo/x"} {
		if got := table.matched("", path); got != "Prefix:/foo/" {
			t.Errorf("%s matches %q", path, got)
		}
	}
}

func largeTable() *Table {
	var words []string
	for i := range 200 {
		words = append(words, fmt.Sprintf("Prefix:shop-%d.example/", i), fmt.Sprintf("Prefix:shop-%d.example/cart", i),
			fmt.Sprintf("Exact:shop-%d.example/login", i), fmt.Sprintf("Prefix:*.shop-%d.example/", i))
	}
	return tableOf(append(words, "Prefix:/health")...)
}

var matchCases = []struct{ host, path string }{
	{"shop-77.example", "/cart/items/42"},
	{"shop-77.example", "/login"},
	{"www.shop-77.example", "/a/b/c/d/e"},
	{"unknown.example", "/health"},
	{"unknown.example", "/a/b/c"},
}

func TestMatch_allocateNothing(t *testing.T) {
	table := largeTable()
	for _, c := range matchCases {
		host, path := []byte(c.host), []byte(c.path)
		if n := testing.AllocsPerRun(100, func() { table.Match(host, path, nil) }); n > 0 {
			t.Errorf("%s%s: %v allocations", c.host, c.path, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	table := largeTable()
	for _, c := range matchCases {
		host, path := []byte(c.host), []byte(c.path)
		b.Run(c.host+c.path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table.Match(host, path, nil)
			}
		})
	}
}

// The settings of a wildcard host do not apply to an exact host without settings.
func TestTLS_settingsOfHost(t *testing.T) {
	m := &model.Model{
		Routes: routes("Prefix:/", "Prefix:*.example.com/", "Prefix:plain.example.com/", "Prefix:shop.example.com/"),
		Hosts:  []model.Host{{Name: "", MinVersion: 1}, {Name: "*.example.com", MinVersion: 2}, {Name: "shop.example.com", MinVersion: 3}},
	}
	table := Compile(m, upstream.NewRegistry(), nil, time.Time{})
	for name, want := range map[string]model.TLSVersion{
		"shop.example.com": 3, "plain.example.com": 0, "other.example.com": 2, "a.b.example.com": 1, "": 1, "com": 1,
	} {
		got := model.TLSVersion(0)
		if h := table.TLS([]byte(name)); h != nil {
			got = h.MinVersion
		}
		if got != want {
			t.Errorf("%q has the settings %d, want %d", name, got, want)
		}
	}
	if h := tableOf("Prefix:a.example/").TLS([]byte("b.example")); h != nil {
		t.Errorf("a host without routes has %+v", h)
	}
	m.Hosts = m.Hosts[:2]
	if h := Compile(m, upstream.NewRegistry(), table, time.Time{}).TLS([]byte("shop.example.com")); h != nil {
		t.Errorf("the removed settings still apply: %+v", h)
	}
}
