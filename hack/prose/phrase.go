package main

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// phrase is one entry of the deny list.
type phrase struct {
	pattern *regexp.Regexp
	allow   *regexp.Regexp // a match at which this matches as well is no finding; nil if there is no exception
	use     string
	why     string
	example string // "bad text -> good text"
}

//go:embed denylist.txt
var denylistText string

func denylist() ([]phrase, error) { return parsePhrases(denylistText) }

// parsePhrases reads entries that are separated by blank lines. Each line of an entry is "key: value".
func parsePhrases(text string) ([]phrase, error) {
	var all []phrase
	for entry := range strings.SplitSeq(text, "\n\n") {
		fields := map[string]string{}
		for line := range strings.Lines(entry) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			key, value, ok := strings.Cut(line, ": ")
			if !ok {
				return nil, fmt.Errorf("deny list: line %q is not \"key: value\"", line)
			}
			fields[key] = value
		}
		if len(fields) == 0 {
			continue
		}
		p, err := newPhrase(fields)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func newPhrase(fields map[string]string) (phrase, error) {
	p := phrase{use: fields["use"], why: fields["why"], example: fields["example"]}
	if fields["phrase"] == "" || p.use == "" || p.why == "" || p.example == "" {
		return p, fmt.Errorf("deny list: %v needs phrase, use, why and example", fields)
	}
	var err error
	if p.pattern, err = compile(`\b(?:` + fields["phrase"] + `)\b`); err != nil {
		return p, err
	}
	if fields["allow"] != "" {
		p.allow, err = compile(`^(?:` + fields["allow"] + `)\b`)
	}
	return p, err
}

// compile compiles a pattern that ignores case and in which a space matches a line break as well.
func compile(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(`(?i)` + strings.ReplaceAll(pattern, " ", `\s+`))
}

// find returns the findings of p in a passage.
func (p *phrase) find(s passage) []finding {
	var found []finding
	for _, m := range p.pattern.FindAllStringIndex(s.text, -1) {
		if p.allow != nil && p.allow.MatchString(s.text[m[0]:]) || insideName(s.text, m[0], m[1]) {
			continue
		}
		text := strings.Join(strings.Fields(s.text[m[0]:m[1]]), " ")
		found = append(found, finding{
			file: s.file,
			line: s.line + strings.Count(s.text[:m[0]], "\n"),
			text: fmt.Sprintf("%q: write %s (%s)", text, p.use, p.why),
		})
	}
	return found
}

// insideName reports whether text[from:to] is part of a path, a flag, an identifier or a quotation.
func insideName(text string, from, to int) bool {
	const joins = "/_-.\"'`=*"
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, size := utf8.DecodeRuneInString(text[to:])
	if strings.ContainsRune(joins, before) {
		return true
	}
	if after == '.' || after == '\'' || after == '-' { // the end of a sentence, or a possessive
		next, _ := utf8.DecodeRuneInString(text[to+size:])
		return after != '\'' && (next >= 'a' && next <= 'z')
	}
	return strings.ContainsRune(joins, after)
}

// checkPhrases returns the findings of a whole deny list in a passage.
func checkPhrases(deny []phrase, s passage) []finding {
	var found []finding
	for i := range deny {
		found = append(found, deny[i].find(s)...)
	}
	return found
}
