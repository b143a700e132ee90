package manifest

import (
	"bytes"
	"fmt"
	"regexp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pieces splits one document of a large file. If the document is a List in the layout of kubectl, each item becomes a document.
type pieces struct {
	file    string
	header  piece // the document without its items
	items   []*piece
	inItems bool
	indent  int // of the dashes of the items; -1 before the first item
	kept    int // bytes of the items
}

func newPieces(file string, line int) *pieces {
	return &pieces{file: file, header: piece{line: line}, indent: -1}
}

var itemsKey = regexp.MustCompile(`^items:\s*(#.*)?$`)

// add adds a line.
func (p *pieces) add(line []byte, number int, isCut bool) error {
	trimmed := bytes.TrimLeft(line, " ")
	indent := len(line) - len(trimmed)
	trimmed = bytes.TrimSpace(trimmed)
	isBlank := len(trimmed) == 0 || trimmed[0] == '#'
	switch {
	case p.inItems && isBlank:
	case p.inItems && p.startsItem(trimmed, indent):
		p.indent = indent
		p.items = append(p.items, &piece{line: number, indent: indentOfItem(line, indent)})
		line = bytes.Clone(line)
		line[indent] = ' '
	case p.inItems && indent == 0:
		p.inItems = false
	case !p.inItems && len(p.items) == 0 && itemsKey.Match(bytes.TrimRight(line, "\r\n")):
		p.inItems = true
		return nil
	}
	current := &p.header
	if p.inItems && len(p.items) > 0 {
		current = p.items[len(p.items)-1]
	}
	before := len(current.text)
	current.add(line, isCut)
	if p.kept += len(current.text) - before; p.kept > maxRetained {
		return &Error{p.file, number, fmt.Sprintf("the manifests exceed %d MiB in total", maxRetained>>20)}
	}
	return nil
}

// startsItem reports whether a line starts an item of the list.
func (p *pieces) startsItem(trimmed []byte, indent int) bool {
	isDash := trimmed[0] == '-' && (len(trimmed) == 1 || trimmed[1] == ' ')
	return isDash && (p.indent < 0 || p.indent == indent)
}

// indentOfItem returns the indentation of the fields of an item that starts in this line.
func indentOfItem(line []byte, indent int) int {
	rest := line[indent+1:]
	return indent + 1 + len(rest) - len(bytes.TrimLeft(rest, " "))
}

// finish adds the documents to out.
func (p *pieces) finish(out *splitter) error {
	meta := p.header.meta
	if len(p.items) == 0 || !isList(meta) {
		return p.single(out)
	}
	for _, item := range p.items {
		if item.meta == (metav1.TypeMeta{}) {
			item.meta = itemMeta(meta)
		}
		if err := item.finish(p.file, meta, out); err != nil {
			return err
		}
	}
	return nil
}

// single adds the document as one object, which cannot have items.
func (p *pieces) single(out *splitter) error {
	if len(p.items) > 0 {
		p.header.add([]byte("items: []\n"), false)
	}
	return p.header.finish(p.file, metav1.TypeMeta{}, out)
}

// piece is the text of one object.
type piece struct {
	line   int // of its first line
	indent int // of its fields
	text   []byte
	meta   metav1.TypeMeta // without the fields that are not known
	// isTooLarge and isSkipped mark pieces whose text is not kept.
	isTooLarge, isSkipped bool
}

var metaKey = regexp.MustCompile(`^(apiVersion|kind):\s+["']?([A-Za-z0-9./-]+)["']?\s*(#.*)?$`)

// add adds a line, unless the object is known to be one that Limpet does not read.
func (p *piece) add(line []byte, isCut bool) {
	if p.meta.APIVersion == "" || p.meta.Kind == "" {
		p.look(line)
	}
	switch {
	case p.isTooLarge, p.isSkipped:
	case isCut, len(p.text)+len(line) > maxDocument:
		p.isTooLarge, p.text = true, nil
	default:
		p.text = append(p.text, line...)
	}
}

// look reads apiVersion or kind from a line.
func (p *piece) look(line []byte) {
	if len(line) <= p.indent || len(bytes.TrimLeft(line, " ")) != len(line)-p.indent {
		return
	}
	found := metaKey.FindSubmatch(bytes.TrimRight(line[p.indent:], "\r\n"))
	switch {
	case found == nil:
		return
	case string(found[1]) == "kind":
		p.meta.Kind = string(found[2])
	default:
		p.meta.APIVersion = string(found[2])
	}
	if p.meta.APIVersion != "" && p.meta.Kind != "" && !isWanted(p.meta) {
		p.isSkipped, p.text = true, nil
	}
}

// isWanted reports whether an object must be read or reported.
func isWanted(meta metav1.TypeMeta) bool {
	_, known := kinds[meta]
	return known || isOurs(meta) || isList(meta)
}

// finish adds the object to out, as an item of list.
func (p *piece) finish(file string, list metav1.TypeMeta, out *splitter) error {
	if p.isSkipped {
		out.skipped.add(Skipped{file, p.line, notSupported(p.meta)})
		return nil
	}
	d := &document{file: file, line: p.line, text: p.text, inherited: itemMeta(list)}
	if p.isTooLarge {
		d.fault = tooLarge(file, p.line)
	}
	return out.keep(d)
}

func tooLarge(file string, line int) *Error {
	return &Error{file, line, fmt.Sprintf("the object exceeds %d MiB", maxDocument>>20)}
}
