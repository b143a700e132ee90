package pattern

import (
	"regexp"
	"slices"
	"testing"
)

// rewritten are expressions as people write them for rewrites, and whether they are simple.
var rewritten = map[string]bool{
	"/app(/|$)(.*)": true, "/(.*)": true, "/app/?(.*)": false, "/": true, "/(cart/|$)(.*)": true, "/a(b|c|)(/|$)(.*)": false, "/(ab|cd)(/|$)(.*)": true,
	"/App": true, "/api/v[0-9]+/(.*)": false, "/(a|ab)(c|bcd)(.*)": true, "/x(.*)/y": false, "/(?:a|b)/(.*)": false,
	"/((a)|b)": false, "/a|/b(.*)": false, "(/a|/b)/(.*)": false, "/a(.*?)": false, "/.well": false, "/$": true, "/k(.*)": true,
	`/a\.b(/|$)(.*)`: true, "/()(.*)": true, "/(?-i:A)(.*)": false, "/a()b(/|$)": true, "/a$(.*)": true, "^/a(.*)": true, "/a^b": false,
}

var rewrittenTexts = []string{
	"/app", "/app/", "/app/x/y", "/APP/X", "/apple", "/", "", "/cart/items", "/ab", "/abcd/x", "/abbcd", "/ac", "/a", "/b/x", "/x/y",
	"/a.b/c", "/a\nb", "/app/a\nb", "/\u212Aelvin", "/kelvin", "/é", "/xwell", "/a/b", "/a$", "/A", "app",
}

func TestCaptures_sameAsRegexp(t *testing.T) {
	for text, want := range rewritten {
		c, err := CompileCaptures(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := c.paths != nil; got != want {
			t.Errorf("%s: simple %v", text, got)
		}
		for _, path := range rewrittenTexts {
			checkCaptures(t, c, text, path)
		}
	}
}

func checkCaptures(t *testing.T, c *Captures, text, path string) {
	t.Helper()
	want := regexp.MustCompile(PathExpression(text)).FindSubmatchIndex([]byte(path))
	if got := c.Find(make([]int, 0, 8), []byte(path)); !slices.Equal(got, want) {
		t.Errorf("%s finds %v in %q, want %v", text, got, path, want)
	}
}

func TestCaptures_allocateNothing(t *testing.T) {
	c, err := CompileCaptures("/app(/|$)(.*)")
	if err != nil {
		t.Fatal(err)
	}
	path := []byte("/App/items/42")
	var space [8]int
	if n := testing.AllocsPerRun(100, func() { c.Find(space[:0], path) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Many alternatives take bounded time.
func TestCaptures_bounded(t *testing.T) {
	c, err := CompileCaptures("/(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)(a|aa)$")
	if err != nil || c.paths != nil {
		t.Errorf("simple: %v, %v", c.paths != nil, err)
	}
}

func FuzzCaptures(f *testing.F) {
	for text := range rewritten {
		for _, path := range rewrittenTexts {
			f.Add(text, path)
		}
	}
	f.Fuzz(func(t *testing.T, text, path string) {
		if _, err := CompilePath(text); err != nil {
			return
		}
		c, err := CompileCaptures(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		checkCaptures(t, c, text, path)
	})
}
