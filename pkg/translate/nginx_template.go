package translate

import (
	"errors"
	"strings"
)

// templatePart is a part of a value of ingress-nginx that contains variables: a variable, or the text between variables.
type templatePart struct {
	text       string // of a variable, its name without "$"
	isVariable bool
}

// maxTemplate is the maximum length of a value with variables, in bytes.
const maxTemplate = 1024

// parseTemplate splits a value into text and the variables of nginx: $name or ${name}.
func parseTemplate(text string) ([]templatePart, error) {
	if len(text) > maxTemplate {
		return nil, errors.New("it is too long")
	}
	var out []templatePart
	for text != "" {
		plain, rest, found := strings.Cut(text, "$")
		if plain != "" {
			out = append(out, templatePart{text: plain})
		}
		if !found {
			break
		}
		name, after, ok := cutVariable(rest)
		if !ok {
			return nil, errors.New(`"$" must be followed by the name of a variable`)
		}
		out = append(out, templatePart{text: name, isVariable: true})
		text = after
	}
	return out, nil
}

// cutVariable returns the name of the variable at the start of text, and the rest.
func cutVariable(text string) (name, rest string, ok bool) {
	inner, isBraced := strings.CutPrefix(text, "{")
	n := 0
	for n < len(inner) && isVariableByte(inner[n]) {
		n++
	}
	name, rest = inner[:n], inner[n:]
	if isBraced {
		if rest, ok = strings.CutPrefix(rest, "}"); !ok {
			return "", "", false
		}
	}
	return name, rest, name != ""
}

func isVariableByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
