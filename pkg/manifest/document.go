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
	// line is that of the document's first line in the file.
	line int
	text []byte
	// json is the document as kubectl reads it. "null" for one without content.
	json []byte
	// node is the document's tree, for its lines.
	node *yamlnode.Node
}

// split cuts a file at the lines that hold "---" and, at most, a comment: as kubectl does.
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

// parse reads the text twice: once for the lines, and once as kubectl does, which is YAML 1.1.
func (d *document) parse() *Error {
	decoder := yamlnode.NewDecoder(bytes.NewReader(d.text))
	var node, second yamlnode.Node
	if err := decoder.Decode(&node); err != nil && !errors.Is(err, io.EOF) {
		return syntaxError(d, err)
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return &Error{d.file, d.line, `there is more than one document; "---" must stand on a line of its own`}
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

// lineOf gives the line of a field, such as "spec.ports[1].name", or of the last thing on the way to it that is there.
func (d *document) lineOf(field string) int {
	if d.node == nil {
		return d.line
	}
	node := d.node
	line := node.Line
	for _, step := range steps(field) {
		next, at := child(node, step)
		if next == nil {
			break
		}
		node, line = next, at
	}
	return d.line + line - 1
}

// steps splits a field at its dots and brackets: spec, ports, 1, name.
func steps(field string) []string {
	return strings.FieldsFunc(field, func(r rune) bool { return r == '.' || r == '[' || r == ']' })
}

// child gives the value below a node, and the line of its key.
func child(node *yamlnode.Node, step string) (*yamlnode.Node, int) {
	if node.Kind == yamlnode.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yamlnode.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1], node.Content[i].Line
			}
		}
	case yamlnode.SequenceNode:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i].Line
		}
	}
	return nil, 0
}
