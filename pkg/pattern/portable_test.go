package pattern

import "testing"

func TestIsPortable(t *testing.T) {
	for text, want := range map[string]bool{
		"/api(/|$)(.*)": true, `^/v[0-9]+\.json$`: true, `CN=[\w .-]+,O=x`: true, "(?i)a|(?:b)": true, "a{2,3}": true, "": true,
		`\s\bx\B`: true,
		"é":       false, // PCRE matches two bytes
		`\v`:      false, // a vertical tab in RE2, any vertical space in PCRE
		`a\`:      false, "(?=x)": false, "(?U)a+": false, "(?P<n>a)": false, "a{,3}": false, `\1`: false, `\pL`: false, "(": false,
		"\n": false,
	} {
		if got := IsPortable(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
