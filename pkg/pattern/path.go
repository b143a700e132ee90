package pattern

import (
	"errors"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// CompilePath compiles the expression of a path. It ignores case and must match at the start of the text that PathText
// returns, but not at its end, as in ingress-nginx. Otherwise it is like Compile.
func CompilePath(text string) (*Pattern, error) {
	if len(text) > MaxText {
		return nil, errLong
	}
	if _, err := parse(text); err != nil { // by itself, so that "/a)(/b" is invalid
		return nil, err
	}
	return results.compile(PathExpression(text))
}

// PathExpression returns the expression of a path with the flag and the assertion that CompilePath adds.
func PathExpression(text string) string { return `(?i)\A(?:` + text + `)` }

// PathText returns the text of a normalized path that expressions of paths match: percent-decoded, and with one slash in place
// of several. If that differs from path, the text is built in dst[:0].
func PathText(dst, path []byte) []byte {
	if isPathText(path) {
		return path
	}
	out := dst[:0]
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			c = hex(path[i+1])<<4 | hex(path[i+2])
			i += 2
		}
		if c == '/' && len(out) > 0 && out[len(out)-1] == '/' {
			continue
		}
		out = append(out, c)
	}
	return out
}

func isPathText(path []byte) bool {
	for i, c := range path {
		if c == '%' || c == '/' && i > 0 && path[i-1] == '/' {
			return false
		}
	}
	return true
}

// hex returns the value of a hexadecimal digit. Paths of requests have no other bytes after "%".
func hex(c byte) byte {
	if c >= 'A' {
		return c&^0x20 - 'A' + 10
	}
	return c - '0'
}

// LiteralStart returns the ASCII text in lower case that each match of an expression begins with. It may be empty.
func LiteralStart(text string) string {
	literal := literalText(text)
	if parsed, err := parse(text); err == nil {
		if program, err := syntax.Compile(parsed.Simplify()); err == nil {
			literal, _ = program.Prefix()
		}
	}
	if end := strings.IndexFunc(literal, func(r rune) bool { return r >= utf8.RuneSelf }); end >= 0 {
		literal = literal[:end]
	}
	return strings.ToLower(literal)
}

// literalText returns the text before the first byte with a meaning in expressions. A byte that a quantifier makes optional does
// not count. It is empty if the expression may have alternatives.
func literalText(text string) string {
	if strings.IndexByte(text, '|') >= 0 {
		return ""
	}
	end := strings.IndexAny(text, `\\.^$*+?()[]{}`)
	if end < 0 {
		return text
	}
	if end > 0 && strings.IndexByte("*?{", text[end]) >= 0 {
		end--
	}
	return text[:end]
}

// parse parses an expression and bounds its size. It returns errors as Compile does.
func parse(text string) (*syntax.Regexp, error) {
	parsed, err := syntax.Parse(text, syntax.Perl)
	if wrong := (*syntax.Error)(nil); errors.As(err, &wrong) {
		return nil, describe(text, wrong)
	}
	if err != nil {
		return nil, err
	}
	if estimateSize(parsed) > MaxProgram {
		return nil, errLarge
	}
	return parsed, nil
}

// perlOnly names the constructs of Perl and PCRE that RE2 does not have, by their text. The longest text comes first.
var perlOnly = []struct{ text, name string }{
	{"(?<=", "a look-behind, (?<=...)"},
	{"(?<!", "a negative look-behind, (?<!...)"},
	{"(?=", "a look-ahead, (?=...)"},
	{"(?!", "a negative look-ahead, (?!...)"},
	{"(?>", "an atomic group, (?>...)"},
	{"(?|", "a branch reset, (?|...)"},
	{"(?#", "a comment, (?#...)"},
	{"(?(", "a condition, (?(...)...)"},
	{"(?&", "a subroutine call, (?&...)"},
	{"(?R", "a recursion, (?R)"},
	{"(*", "a verb, (*...)"},
	{"*+", "a possessive quantifier, *+"},
	{"++", "a possessive quantifier, ++"},
	{"?+", "a possessive quantifier, ?+"},
}

// describe returns the error of a syntax error. It names a construct that RE2 does not have. Otherwise it is the code of
// regexp/syntax, without the expression, which may contain any text.
func describe(text string, err *syntax.Error) error {
	for _, construct := range perlOnly {
		if strings.Contains(text, construct.text) {
			return errors.New("it contains " + construct.name + ", which RE2 does not have")
		}
	}
	if n := len(err.Expr); err.Code == syntax.ErrInvalidEscape && n == 2 && '1' <= err.Expr[1] && err.Expr[1] <= '9' {
		return errors.New("it contains a back-reference, " + err.Expr + ", which RE2 does not have")
	}
	return errors.New(err.Code.String())
}
