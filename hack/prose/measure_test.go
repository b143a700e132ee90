package main

import (
	"bytes"
	"strings"
	"testing"
)

func corpusOf(t *testing.T, name, text string) *corpus {
	t.Helper()
	c := &corpus{name: name}
	if err := c.add("a.go", text); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCorpus_counts(t *testing.T) {
	c := corpusOf(t, "x", "// Copyright 2026 The Authors\n\n// Package a has\n// an answer.\npackage a\n\nvar s = \"an answer\" // its answer\n")
	if c.words != 7 || c.commentLines != 3 || c.lines != 5 {
		t.Errorf("%d words, %d comment lines, %d lines, want 7, 3 and 5", c.words, c.commentLines, c.lines)
	}
	if got := c.per10000(table[0]); got < 2857 || got > 2858 {
		t.Errorf("%f per 10,000, want 2 in 7", got)
	}
}

func TestPrintTable_verdict(t *testing.T) {
	models := []*corpus{corpusOf(t, "m", "// one answer and nine words more than that, see\npackage a\n")}
	for text, above := range map[string]bool{
		"// answer answer answer\npackage a\n":                          true,
		"// one answer and nine words more than that, see\npackage a\n": false,
	} {
		var out bytes.Buffer
		printTable(&out, append([]*corpus{corpusOf(t, "ours", text)}, models...))
		if got := strings.Contains(out.String(), "above twice"); got != above {
			t.Errorf("marked = %v, want %v:\n%s", got, above, &out)
		}
	}
}
