package main

import (
	"strings"
	"testing"
)

func mustDenylist(t *testing.T) []phrase {
	t.Helper()
	deny, err := denylist()
	if err != nil {
		t.Fatal(err)
	}
	return deny
}

func TestDenylist_examples(t *testing.T) {
	deny := mustDenylist(t)
	for _, p := range deny {
		bad, good, ok := strings.Cut(p.example, " -> ")
		if !ok {
			t.Errorf("example %q is not \"bad -> good\"", p.example)
			continue
		}
		if len(p.find(passage{text: bad})) == 0 {
			t.Errorf("%q has no finding of its own entry", bad)
		}
		if found := checkPhrases(deny, passage{text: good}); len(found) > 0 {
			t.Errorf("%q has findings: %v", good, found)
		}
	}
}

func TestParsePhrases_incomplete(t *testing.T) {
	for _, text := range []string{"phrase: x\nuse: y\nwhy: z\n", "no colon\n", "phrase: (\nuse: y\nwhy: z\nexample: a -> b\n"} {
		if _, err := parsePhrases(text); err == nil {
			t.Errorf("parsePhrases(%q): no error", text)
		}
	}
}

func TestCheckPhrases_places(t *testing.T) {
	deny := mustDenylist(t)
	for text, want := range map[string]int{
		"it gives the endpoint":           1,
		"it gives up":                     0,
		"what becomes\nof it":             1,
		"the flag --timeout-answer":       0,
		"pkg/proxy/answer.go, test/house": 0,
		"the call answer.reset":           0,
		"the last answer. Then":           1,
		"it is called \"answer\"":         0,
	} {
		if got := len(checkPhrases(deny, passage{text: text})); got != want {
			t.Errorf("%q has %d findings, want %d", text, got, want)
		}
	}
}

func TestFind_line(t *testing.T) {
	found := checkPhrases(mustDenylist(t), passage{file: "a.go", line: 10, text: "one\ntwo\nits answer"})
	if len(found) != 1 || found[0].file != "a.go" || found[0].line != 12 {
		t.Errorf("findings = %v, want one at a.go:12", found)
	}
}
