// Package pages parses the fenced blocks of README and docs, and the preceding comments that define how they are
// tested (see CONTRIBUTING.md). test/docs tests all pages without nodes, and test/e2e tests two of them on a real
// node.
package pages

import (
	"regexp"
	"strings"
)

// Step is a block with the preceding directive, or a directive without a block.
type Step struct {
	Line      int    // of the directive
	Mode      string // "run"
	Args      []string
	Language  string // of the block; "" for a directive alone
	Body      string
	Directive bool // whether there is a directive
}

var directive = regexp.MustCompile(`^<!-- test: (.+) -->$`)

// Steps returns the blocks and directives of a page in order.
func Steps(text string) []Step {
	var out []Step
	var pending *Step
	flush := func() {
		if pending != nil {
			out = append(out, *pending)
			pending = nil
		}
	}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		switch m := directive.FindStringSubmatch(line); {
		case m != nil:
			flush()
			words := strings.Fields(m[1])
			pending = &Step{Line: i + 1, Mode: words[0], Args: words[1:], Directive: true}
		case strings.HasPrefix(line, "```"):
			if pending == nil {
				pending = &Step{Line: i + 1}
			}
			pending.Language = strings.TrimPrefix(line, "```")
			i, pending.Body = block(lines, i+1)
			flush()
		case line != "":
			flush()
		}
	}
	flush()
	return out
}

// block returns the lines up to the closing fence, and its index.
func block(lines []string, from int) (end int, body string) {
	for end = from; end < len(lines) && strings.TrimSpace(lines[end]) != "```"; end++ {
		body += lines[end] + "\n"
	}
	return end, body
}

var needsCluster = regexp.MustCompile(`(?m)^\s*(kubectl|helm)\b`)

// NeedsCluster reports whether the commands use a cluster.
func NeedsCluster(script string) bool { return needsCluster.MatchString(script) }
