package translate

import (
	"strings"
	"testing"
)

func TestPatternPrefixes(t *testing.T) {
	for pattern, want := range map[string]string{
		"/admin(/|$)(.*)":    "/admin",
		"/admin/(.*)":        "/admin",
		"/admin/.*":          "/admin",
		"/admin/?(.*)":       "/admin /",
		"/admin.*":           "/admin /",
		"/a/adm[io]n":        "/a/adm /a",
		"/a/b$":              "/a/b",
		"/ab?/c":             "/a /",
		"^/admin":            "/ /",
		"/(a|b)/c":           "/",
		"/a|/b":              "/",
		"/a/(b|c)|/d":        "/",
		"/v1.0/users/[0-9]+": "/v1.0/users",
		`/a/b\.php`:          "/a/b /a",
	} {
		if got := strings.Join(patternPrefixes(pattern, strings.IndexAny(pattern, patternBytes)), " "); got != want {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}
