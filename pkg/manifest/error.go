package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Error is a problem in a manifest.
type Error struct {
	File string
	// Line is counted from 1. Zero means that the error concerns the whole file.
	Line int
	// Reason describes the problem. It names the object and field, if known, and the allowed values.
	Reason string
}

// Error returns "FILE:LINE: REASON".
func (e *Error) Error() string {
	return e.position() + ": " + e.Reason
}

// position returns "FILE:LINE", or "FILE" without a line.
func (e *Error) position() string {
	if e.Line == 0 {
		return e.File
	}
	return fmt.Sprintf("%s:%d", e.File, e.Line)
}

// maxErrors is the maximum number of errors reported together.
const maxErrors = 20

// join joins errors into one, and truncates the list to maxErrors. It returns nil if the list is empty.
func join(errs []error) error {
	if more := len(errs) - maxErrors; more > 0 {
		errs = append(errs[:maxErrors:maxErrors], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

var (
	yamlLine = regexp.MustCompile(`line (\d+): (.*)`)
	// grammarError matches errors whose line is counted from 0. All others count from 1 (yaml.v3, decode.go, fail).
	grammarError = regexp.MustCompile(`^did not find expected (<document start>|node content|key|'-' indicator|',' or)`)
)

// syntaxError converts a YAML error. It extracts the line from the message, where it is counted within the
// document.
func syntaxError(d *document, err error) *Error {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
		return &Error{d.file, d.line, strings.TrimPrefix(text, "yaml: ")}
	}
	line, _ := strconv.Atoi(m[1]) // the pattern matches only digits
	if grammarError.MatchString(m[2]) {
		line++
	}
	if strings.Contains(m[2], "tab character") {
		line = lineOfTab(d.text, line)
	}
	return &Error{d.file, d.line + line - 1, m[2]}
}

// lineOfTab returns the first line at or after from that is indented by a tab. The parser reports the line of the
// preceding token instead.
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
