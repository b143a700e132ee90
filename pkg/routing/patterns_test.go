package routing

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

func TestMatch_patterns(t *testing.T) {
	for _, c := range []struct{ words, path, want string }{
		{"Pattern:/api", "/API/v1", "Pattern:/api"},
		{"Pattern:/api", "/apish", "Pattern:/api"},
		{"Pattern:/api", "/x/api", ""},
		{"Pattern:/api", "*", ""},
		{"Pattern:/api", "//%61pi", "Pattern:/api"},
		{"Pattern:/api", "/%2Fapi", "Pattern:/api"},
		{"Pattern:/api(/|$)(.*) Pattern:/", "/apish", "Pattern:/"},
		{"Pattern:/api(/|$)(.*) Pattern:/", "/api", "Pattern:/api(/|$)(.*)"},
		// The longest expression takes precedence, and at the same length the last in order.
		{"Pattern:/foo/bar Pattern:/foo/[A-Z0-9]{3}", "/foo/bar", "Pattern:/foo/[A-Z0-9]{3}"},
		{"Pattern:/a. Pattern:/ab", "/ab", "Pattern:/ab"},
		// Exact paths come before all patterns. Prefixes compare by the literal start.
		{"Exact:/ Pattern:/", "/", "Exact:/"},
		{"Prefix:/ Pattern:/.*x", "/ax", "Pattern:/.*x"},
		{"Prefix:/ab Pattern:/.*x", "/ab/x", "Prefix:/ab"},
		{"Prefix:/a Pattern:/a/[0-9]+", "/a/1", "Pattern:/a/[0-9]+"},
		{"Prefix:/a Pattern:/a/[0-9]+", "/a/b", "Prefix:/a"},
	} {
		if got := tableOf(strings.Fields(c.words)...).matched("any.example", c.path); got != c.want {
			t.Errorf("%s: %s matches %q, want %q", c.words, c.path, got, c.want)
		}
	}
}

// A namespace cannot take the paths of another one by a long expression.
func TestMatch_patternsOfNamespaces(t *testing.T) {
	list := routes("Pattern:/(((.*)))", "Pattern:/cart", "Pattern:/cart/(x|y)z*")
	list[0].Source.Namespace, list[1].Source.Namespace, list[2].Source.Namespace = "b", "a", "b"
	table := Compile(&model.Model{Routes: list}, upstream.NewRegistry(), nil, time.Time{})
	for path, want := range map[string]string{
		"/x": "Pattern:/(((.*)))", "/cart": "Pattern:/cart", "/cart/x": "Pattern:/cart/(x|y)z*", "/cart/z": "Pattern:/cart",
	} {
		if got := table.matched("", path); got != want {
			t.Errorf("%s matches %q, want %q", path, got, want)
		}
	}
}

func TestMatch_longPathOnPatterns(t *testing.T) {
	table := tableOf("Prefix:/", "Pattern:/admin", "Prefix:plain.example/")
	long := "/admin" + strings.Repeat("/a", pattern.MaxValue/2)
	r := table.Match(nil, []byte(long), nil)
	if r != pathTooLong || r.Filters.FilterRequest(nil).Status != 414 {
		t.Errorf("got %+v", r)
	}
	if got := table.matched("plain.example", long); got != "Prefix:plain.example/" {
		t.Errorf("a host without patterns: got %q", got)
	}
}

// A pattern that does not compile matches all paths that it may match. Translation closes such routes.
func TestMatch_invalidPattern(t *testing.T) {
	table := tableOf("Prefix:/", "Pattern:/a.*", "Pattern:/admin(?=/)")
	for path, want := range map[string]string{"/x": "Prefix:/", "/ADMINx": "Pattern:/admin(?=/)", "/ax": "Pattern:/a.*"} {
		if got := table.matched("", path); got != want {
			t.Errorf("%s matches %q, want %q", path, got, want)
		}
	}
}

func manyPatterns() *Table {
	var words []string
	for n := range 99 {
		words = append(words, fmt.Sprintf("Pattern:/app-%02d(/|$)(.*)", n))
	}
	return tableOf(append(words, "Pattern:/(.*)")...)
}

func TestMatch_patternsAllocateNothing(t *testing.T) {
	table := manyPatterns()
	for _, path := range []string{"/app-50/x", "/other", "//app-07/%20x"} {
		if n := testing.AllocsPerRun(100, func() { table.Match(nil, []byte(path), nil) }); n > 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

func BenchmarkMatch_patterns(b *testing.B) {
	table := manyPatterns()
	for name, path := range map[string]string{"first": "/app-98/x", "last": "/app-00/users/42", "none": "/other"} {
		b.Run(name, func(b *testing.B) {
			text := []byte(path)
			for b.Loop() {
				table.Match(nil, text, nil)
			}
		})
	}
}
