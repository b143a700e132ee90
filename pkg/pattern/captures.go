package pattern

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
)

// Captures finds the groups of the expression of a path. It is immutable and safe for concurrent use.
//
// Most expressions of rewrites have a simple form, such as /app(/|$)(.*): literals, groups, alternatives and one repetition
// at the end. For these, Find compares bytes and allocates nothing. For others, and for text that is not ASCII, package
// regexp is used.
type Captures struct {
	expression *regexp.Regexp
	paths      [][]step // the ways through a simple expression, in order of preference; nil: use expression
	size       int      // positions in a result
}

// step is a part of a simple expression.
type step struct {
	kind    stepKind
	literal string // of stepLiteral, in lower case
	slot    int    // of stepMark
}

type stepKind uint8

const (
	stepLiteral stepKind = iota
	stepMark             // stores the position
	stepEnd              // requires the end of the text
	stepRest             // takes all up to the end of the line; only marks follow
)

// Bounds of simple expressions, and with them of the time of Find.
const (
	mostPaths = 16
	mostParts = 64 // of the parsed expression
)

// CompileCaptures returns the groups of an expression as CompilePath matches it.
func CompileCaptures(text string) (*Captures, error) {
	expression, err := regexp.Compile(PathExpression(text))
	if err != nil {
		return nil, err
	}
	parsed, err := syntax.Parse(PathExpression(text), syntax.Perl)
	if err != nil {
		return nil, err
	}
	c := &Captures{expression: expression, size: 2 * (expression.NumSubexp() + 1)}
	var s simplifier
	if paths, ok := s.extend([][]step{nil}, parsed); ok {
		c.paths = paths
	}
	return c, nil
}

// Find returns the positions of the match and of its groups as in regexp.Regexp.FindSubmatchIndex, or nil. It may append them to
// dst[:0].
func (c *Captures) Find(dst []int, text []byte) []int {
	if c.paths == nil || !isASCII(text) {
		return c.expression.FindSubmatchIndex(bytes.Clone(text)) // a copy, so that text need not be on the heap
	}
	dst = dst[:0]
	for range c.size {
		dst = append(dst, -1)
	}
	for _, path := range c.paths {
		if end := follow(path, dst, text); end >= 0 {
			dst[0], dst[1] = 0, end
			return dst
		}
	}
	return nil
}

// follow matches the steps of a path, and stores the positions of groups. It returns the end of the match, or -1.
func follow(path []step, groups []int, text []byte) int {
	at := 0
	for i := range path {
		switch s := &path[i]; s.kind {
		case stepLiteral:
			if !hasPrefixFold(text[at:], s.literal) {
				return -1
			}
			at += len(s.literal)
		case stepMark:
			groups[s.slot] = at
		case stepEnd:
			if at != len(text) {
				return -1
			}
		case stepRest:
			for at < len(text) && text[at] != '\n' {
				at++
			}
		}
	}
	return at
}

// simplifier turns a parsed expression into paths.
type simplifier struct {
	parts  int
	isLast bool // a repetition was added, so nothing that depends on text may follow
}

// extend appends an expression to each of the paths. It returns false if the expression is not simple.
func (s *simplifier) extend(paths [][]step, e *syntax.Regexp) (_ [][]step, ok bool) {
	if s.parts++; s.parts > mostParts {
		return nil, false
	}
	switch e.Op {
	case syntax.OpConcat:
		for _, sub := range e.Sub {
			if paths, ok = s.extend(paths, sub); !ok {
				return nil, false
			}
		}
		return paths, true
	case syntax.OpCapture:
		paths, ok = s.extend(appendStep(paths, step{kind: stepMark, slot: 2 * e.Cap}), e.Sub[0])
		return appendStep(paths, step{kind: stepMark, slot: 2*e.Cap + 1}), ok
	case syntax.OpAlternate:
		return s.branch(paths, e.Sub)
	}
	return s.extendOne(paths, e)
}

// extendOne is extend for expressions that consist of one step.
func (s *simplifier) extendOne(paths [][]step, e *syntax.Regexp) (_ [][]step, ok bool) {
	switch e.Op {
	case syntax.OpEmptyMatch:
		return paths, true
	case syntax.OpBeginText:
		return paths, len(paths) == 1 && len(paths[0]) == 0
	case syntax.OpEndText:
		return appendStep(paths, step{kind: stepEnd}), !s.isLast
	case syntax.OpLiteral:
		text := []byte(string(e.Rune))
		isSimple := isASCII(text) && (e.Flags&syntax.FoldCase != 0 || !hasLetter(text))
		return appendStep(paths, step{literal: lowerASCII(text)}), isSimple && !s.isLast
	case syntax.OpStar:
		isSimple := !s.isLast && e.Sub[0].Op == syntax.OpAnyCharNotNL && e.Flags&syntax.NonGreedy == 0
		s.isLast = true
		return appendStep(paths, step{kind: stepRest}), isSimple
	}
	return nil, false
}

// branch appends alternatives. They have no repetition and no groups: the positions of an alternative that does not match
// would stay.
func (s *simplifier) branch(paths [][]step, alternatives []*syntax.Regexp) (out [][]step, ok bool) {
	if len(paths)*len(alternatives) > mostPaths {
		return nil, false
	}
	for _, path := range paths {
		for _, alternative := range alternatives {
			more, ok := s.extend([][]step{slices.Clone(path)}, alternative)
			if !ok || s.isLast || alternative.MaxCap() > 0 {
				return nil, false
			}
			out = append(out, more...)
		}
	}
	return out, len(out) <= mostPaths
}

func appendStep(paths [][]step, one step) [][]step {
	for i := range paths {
		paths[i] = append(paths[i], one)
	}
	return paths
}

func isASCII(text []byte) bool {
	for _, c := range text {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func hasLetter(text []byte) bool {
	for _, c := range text {
		if c |= 0x20; 'a' <= c && c <= 'z' {
			return true
		}
	}
	return false
}

func lowerASCII(text []byte) string {
	for i := range text {
		text[i] = lowerByte(text[i])
	}
	return string(text)
}

func lowerByte(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// hasPrefixFold reports whether text begins with a prefix in lower case, regardless of the case of ASCII letters.
func hasPrefixFold(text []byte, prefix string) bool {
	if len(text) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		if lowerByte(text[i]) != prefix[i] {
			return false
		}
	}
	return true
}
