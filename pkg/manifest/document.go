package manifest

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// document is one YAML document of a file.
type document struct {
	file string
	// line is the line of the document's first line in the file, counted from 1.
	line int
	text []byte
	// json is the document converted to JSON like kubectl does, or "null" if it is empty.
	json []byte
	// node is the parsed tree, used to look up line numbers.
	node *yamlnode.Node
}

// split splits a file into documents like kubectl: at lines that contain "---" and nothing else but a comment.
func split(file string, text []byte) []*document {
	current := &document{file: file, line: 1}
	out := []*document{current}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if isSeparator(line) {
			current = &document{file: file, line: number + 1}
			out = append(out, current)
			continue
		}
		current.text = append(current.text, line...)
	}
	return out
}

func isSeparator(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return found && (len(rest) == 0 || rest[0] == '#')
}

// parse parses the text twice: with yaml.v3 for line numbers, and as YAML 1.1 like kubectl for the content.
func (d *document) parse() *Error {
	decoder := yamlnode.NewDecoder(bytes.NewReader(d.text))
	var node, second yamlnode.Node
	if err := decoder.Decode(&node); err != nil && !errors.Is(err, io.EOF) {
		return syntaxError(d, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return &Error{d.file, d.line, `found more than one document; "---" must be on its own line`}
	}
	var err error
	if d.json, err = yaml.YAMLToJSONStrict(d.text); err != nil {
		return syntaxError(d, err)
	}
	if len(node.Content) > 0 {
		d.node = node.Content[0]
	}
	return nil
}

func (d *document) empty() bool { return string(bytes.TrimSpace(d.json)) == "null" }

// lineOf returns the line of a field, such as "spec.ports[1].name". If the field does not exist, it returns the
// line of its closest existing parent.
func (d *document) lineOf(field string) int {
	if d.node == nil {
		return d.line
	}
	node := d.node
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
