package v1alpha1_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

func TestDuration_problem(t *testing.T) {
	pattern := regexp.MustCompile(v1alpha1.DurationPattern)
	for text, want := range map[string]string{
		"1h30m": "", "45s": "", "500ms": "", "1h2m3s4ms": "", "99999h": "", "0s": "",
		"1d":         "d is not a unit; use h, m, s, ms",
		"1w2d":       "w is not a unit",
		"1h30":       "the unit is missing",
		"30":         "the unit is missing",
		"1H":         "H is not a unit",
		"5 m":        "m is not a unit",
		"1us":        "us is not a unit",
		"h":          "h is not a whole number with a unit",
		"-5s":        "- is not a whole number",
		"1.5h":       "numbers must be whole",
		"":           "it is empty",
		"100000s":    "more than 5 digits",
		"1h1h1h1h1h": "more than 4 numbers",
		"1\n":        `\n is not a unit`,
	} {
		got := v1alpha1.Duration(text).Problem()
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if (got == "") != pattern.MatchString(text) {
			t.Errorf("%q: %q, but the pattern disagrees", text, got)
		}
	}
}
