package manifest

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// document is one YAML document of a file, or one item of a large List.
type document struct {
	file string
	// line is the line of the document's first line in the file, counted from 1.
	line int
	text []byte
	// json is the document converted to JSON like kubectl does, or "null" if it is empty.
	json []byte
	// node is the parsed tree, used to look up line numbers. It is nil until the first look-up.
	node *yamlnode.Node
	// inherited replaces a missing apiVersion and kind. The items of a list such as IngressList have neither.
	inherited metav1.TypeMeta
	// fault is the reason why the document was not read, or nil.
	fault *Error
}

// split splits a file into documents like kubectl: at lines that contain "---" and nothing else but a comment.
func split(file string, text []byte) []*document {
	current := &document{file: file, line: 1}
	out := []*document{current}
	number, start, at := 0, 0, 0
	for line := range bytes.Lines(text) {
		number++
		at += len(line)
		if isSeparator(line) {
			current.text = text[start : at-len(line)]
			current = &document{file: file, line: number + 1}
			out = append(out, current)
			start = at
		}
	}
	current.text = text[start:]
	return out
}

func isSeparator(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return found && (len(rest) == 0 || rest[0] == '#')
}

// parse converts the text to JSON. It reads YAML 1.1 like kubectl.
func (d *document) parse() *Error {
	if d.mayEnd() {
		if err := d.parseNode(); err != nil {
			return err
		}
	}
	var err error
	if d.json, err = yaml.YAMLToJSONStrict(d.text); err == nil {
		return nil
	}
	if syntax := d.parseNode(); syntax != nil { // yaml.v3 has better messages
		return syntax
	}
	return syntaxError(d, err)
}

// mayEnd reports whether the text has a line that may start or end a YAML document.
func (d *document) mayEnd() bool {
	for line := range bytes.Lines(d.text) {
		if bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("...")) {
			return true
		}
	}
	return false
}

// parseNode parses the text for line numbers. It returns an error if the text is not one YAML document.
func (d *document) parseNode() *Error {
	decoder := yamlnode.NewDecoder(bytes.NewReader(d.text))
	var node, second yamlnode.Node
	if err := decoder.Decode(&node); err != nil && !errors.Is(err, io.EOF) {
		return syntaxError(d, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return &Error{d.file, d.line, `found more than one document; "---" must be on its own line`}
	}
	if len(node.Content) > 0 {
		d.node = node.Content[0]
	}
	return nil
}

func (d *document) empty() bool { return string(bytes.TrimSpace(d.json)) == "null" }

// tree returns the parsed tree, or nil for a document without one.
func (d *document) tree() *yamlnode.Node {
	if d.node == nil && len(d.text) > 0 {
		if err := d.parseNode(); err != nil {
			return nil
		}
	}
	return d.node
}

// lineOf returns the line of a field, such as "spec.ports[1].name". If the field does not exist, it returns the
// line of its closest existing parent.
func (d *document) lineOf(field string) int {
	node := d.tree()
	if node == nil {
		return d.line
	}
	line := node.Line
	for _, element := range pathElements(field) {
		next, at := child(node, element)
		if next == nil {
			break
		}
		node, line = next, at
	}
	return d.line + line - 1
}

// pathElements splits a field path at dots and brackets: spec, ports, 1, name.
func pathElements(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// child returns the value of a key or index below a node, and the line of the key. It returns nil if it is missing.
func child(node *yamlnode.Node, element string) (*yamlnode.Node, int) {
	if node.Kind == yamlnode.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yamlnode.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == element {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case yamlnode.SequenceNode:
		if i, err := strconv.Atoi(element); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i].Line
		}
	}
	return nil, 0
}
