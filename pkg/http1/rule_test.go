package http1

import (
	"regexp"
	"testing"
)

// reasonWord matches a value that can be used in a log field or a metric label.
var reasonWord = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

func TestRule_names(t *testing.T) {
	seen := map[string]bool{}
	for r := range rules {
		name := r.String()
		if !reasonWord.MatchString(name) || seen[name] {
			t.Errorf("rule %d has the name %q, which is no word or used twice", r, name)
		}
		seen[name] = true
	}
}

// TestRule_ofErrors requires that each error of the parsers names a rule.
func TestRule_ofErrors(t *testing.T) {
	check := func(name string, err error) {
		if e, ok := err.(*Error); ok && e.Rule == RuleOther {
			t.Errorf("%s: %v names no rule", name, err)
		}
	}
	for _, tc := range requestCases() {
		check(tc.name, tc.err)
	}
	for _, tc := range responseCases() {
		check(tc.name, tc.err)
	}
}
