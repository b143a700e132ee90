package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is one thing that is wrong with a manifest.
type Error struct {
	File string
	// Line is counted from 1. 0: the whole file.
	Line int
	// Reason names the object and the field where there are any, what is wrong, and what is allowed.
	Reason string
}

// Error gives "FILE:LINE: REASON".
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Reason
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
}

// maxErrors bounds how many errors are told at once.
const maxErrors = 20

// join gives one error of many, nil of none.
func join(errs []error) error {
	if more := len(errs) - maxErrors; more > 0 {
		errs = append(errs[:maxErrors:maxErrors], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

var (
	yamlLine = regexp.MustCompile(`line (\d+): (.*)`)
	// grammar errors, unlike those of single characters, are told with lines counted from 0 (yaml.v3, decode.go, fail).
	grammarError = regexp.MustCompile(`^did not find expected (<document start>|node content|key|'-' indicator|',' or)`)
)

// syntaxError finds the line that a YAML parser names in its message, counted within the document.
func syntaxError(d *document, err error) *Error {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
		return &Error{d.file, d.line, strings.TrimPrefix(text, "yaml: ")}
	}
	line, _ := strconv.Atoi(m[1]) // digits, or the pattern would not have matched
	if grammarError.MatchString(m[2]) {
		line++
	}
	if strings.Contains(m[2], "tab character") {
		line = lineOfTab(d.text, line)
	}
	return &Error{d.file, d.line + line - 1, m[2]}
}

// lineOfTab gives the first line, from the one that the parser names, that is indented by a tab: the parser names the
// line of the word before it.
func lineOfTab(text []byte, from int) int {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		indentation := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if number >= from && bytes.IndexByte(indentation, '\t') >= 0 {
			return number
		}
	}
	return from
}
