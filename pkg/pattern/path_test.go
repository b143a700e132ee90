package pattern

import (
	"strings"
	"testing"
)

func TestCompilePath(t *testing.T) {
	for _, c := range []struct {
		expression, path string
		want             bool
	}{
		{"/api", "/api", true},
		{"/api", "/API/v1", true},
		{"/api", "/apish", true},
		{"/api", "/x/api", false},
		{"/api(/|$)(.*)", "/api", true},
		{"/api(/|$)(.*)", "/apish", false},
		{"/a|/b", "/b/x", true},
		{"/a|/b", "/x/b", false},
		{`/v\d+/`, "/v12/x", true},
		{"/a b", "/a%20b", true},
		{"/a/b", "//a%2fb", true},
		{"/a/b", "/a//b", true},
		{"/é", "/%C3%A9", true},
		{"/$", "/", true},
		{"/$", "/x", false},
	} {
		p, err := CompilePath(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Match(PathText(nil, []byte(c.path))); got != c.want {
			t.Errorf("%s on %s: got %v", c.expression, c.path, got)
		}
	}
}

func TestCompilePath_errors(t *testing.T) {
	for expression, want := range map[string]string{
		"/(?!api)":                         "a negative look-ahead, (?!...)",
		"/x(?=y)":                          "a look-ahead",
		"/x(?<!y)":                         "a negative look-behind",
		"/(?>a)":                           "an atomic group",
		"/a++":                             "a possessive quantifier",
		`/(a)\1`:                           `a back-reference, \1`,
		"/a)(/b":                           "unexpected )",
		"/" + strings.Repeat("a", MaxText): "longer than 256 bytes",
		"/((a{1,9}){1,9}){1,9}b(c{1,99})":  "too large",
		"/(" + strings.Repeat("a?", 100):   "missing closing )",
	} {
		if _, err := CompilePath(expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20s: got %v, want %s", expression, err, want)
		}
	}
}

func TestLiteralStart(t *testing.T) {
	for expression, want := range map[string]string{
		"/Api/v1": "/api/v1", "/api(/|$)(.*)": "/api", "/api.*": "/api", "/a?": "/", "/a|/b": "/", "/a|b": "", "/aé": "/a",
		"(/a": "", "(?i)/a": "/", `/a\.b`: "/a.b",
		"/Admin(?=/)": "/admin", "/ab?(?=/)": "/a", "/a|/b(?=/)": "", "/a++": "/a",
	} {
		if got := LiteralStart(expression); got != want {
			t.Errorf("%s: got %q, want %q", expression, got, want)
		}
	}
}

func TestPathText_allocatesNothing(t *testing.T) {
	space, path := make([]byte, 64), []byte("/a%20b//c")
	if n := testing.AllocsPerRun(100, func() { PathText(space, path) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
