package main

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// passage is a piece of text that people read, with line breaks as in its file.
type passage struct {
	file string
	line int // of the first line of text
	text string
}

var (
	fencedBlock = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	inlineCode  = regexp.MustCompile("`[^`\n]*`")
	linkTarget  = regexp.MustCompile(`\]\([^)\s]*\)`)
)

// markdown returns the text of a page without code and link targets.
func markdown(file, text string) []passage {
	for _, noise := range []*regexp.Regexp{fencedBlock, inlineCode, linkTarget} {
		text = noise.ReplaceAllStringFunc(text, blank)
	}
	return []passage{{file: file, line: 1, text: text}}
}

// blank replaces everything but line breaks.
func blank(s string) string {
	return strings.Repeat("`", 1) + strings.Repeat("\n", strings.Count(s, "\n"))
}

// hashComments returns the comments of a shell script, a Makefile or a YAML file.
func hashComments(file, text string) []passage {
	var all []passage
	n := 0
	for line := range strings.Lines(text) {
		n++
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !ok || strings.HasPrefix(comment, "!") {
			continue
		}
		if last := len(all) - 1; last >= 0 && all[last].line+strings.Count(all[last].text, "\n")+1 == n {
			all[last].text += "\n" + comment
			continue
		}
		all = append(all, passage{file: file, line: n, text: comment})
	}
	return all
}

// comments returns the comment groups of a Go file without comment markers and directives.
func comments(name string, fset *token.FileSet, f *ast.File) []passage {
	var all []passage
	for _, group := range f.Comments {
		var b strings.Builder
		for i, c := range group.List {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(commentText(c.Text))
		}
		all = append(all, passage{file: name, line: fset.Position(group.Pos()).Line, text: b.String()})
	}
	return all
}

// directive matches comments for tools: go:embed, nolint, markers of controller-gen.
var directive = regexp.MustCompile(`^//([a-z0-9]+:|nolint|\s*\+)`)

func commentText(c string) string {
	if directive.MatchString(c) {
		return ""
	}
	if rest, ok := strings.CutPrefix(c, "//"); ok {
		return inlineCode.ReplaceAllStringFunc(rest, blank)
	}
	return strings.TrimSuffix(strings.TrimPrefix(c, "/*"), "*/")
}

// sentences returns the string literals of a Go file that have a space in them: help texts, errors, problems and log messages.
func sentences(name string, fset *token.FileSet, f *ast.File) []passage {
	var all []passage
	ast.Inspect(f, func(n ast.Node) bool {
		if _, ok := n.(*ast.ImportSpec); ok {
			return false
		}
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		if text, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(strings.TrimSpace(text), " ") {
			all = append(all, passage{file: name, line: fset.Position(lit.Pos()).Line, text: inlineCode.ReplaceAllStringFunc(text, blank)})
		}
		return true
	})
	return all
}
