// Package pages reads what README and docs show: fenced blocks, and the comments before them that say how each is tested.
// CONTRIBUTING.md lists the ways. It decides nothing about them: test/docs tests all pages without nodes, and test/e2e
// follows two of them on a real one.
package pages

import (
	"regexp"
	"strings"
)

// Step is a block with the directive that stands before it, or a directive alone.
type Step struct {
	Line      int    // of the directive
	Mode      string // "run"
	Args      []string
	Language  string // of the block; "" for a directive alone
	Body      string
	Directive bool // false: a block that nobody says how to test
}

var directive = regexp.MustCompile(`^<!-- test: (.+) -->$`)

// Steps gives the blocks and directives of a page in their order.
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

// block gives the lines up to the fence, and where that is.
func block(lines []string, from int) (end int, body string) {
	for end = from; end < len(lines) && strings.TrimSpace(lines[end]) != "```"; end++ {
		body += lines[end] + "\n"
	}
	return end, body
}

var needsCluster = regexp.MustCompile(`(?m)^\s*(kubectl|helm)\b`)

// NeedsCluster says whether commands are for a cluster.
func NeedsCluster(script string) bool { return needsCluster.MatchString(script) }
