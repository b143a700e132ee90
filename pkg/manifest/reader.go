package manifest

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// Read parses YAML documents. The file name is used in errors only. If anything is invalid, Read returns no objects.
func Read(file string, text []byte) (*translate.Snapshot, []Skipped, error) {
	f := &manifestFile{name: file, docs: split(file, text)}
	decodeFiles([]*manifestFile{f})
	m := newMerge()
	m.add(f, f.entries)
	if err := join(m.errors()); err != nil {
		return nil, nil, err
	}
	return m.snapshot, m.skipped.sorted(), nil
}

// entry is one object that was read.
type entry struct {
	ref    model.Ref
	kind   kind
	object object
	// doc is set until the entry is merged. Afterwards, line is the line of the object's document.
	doc  *document
	file string
	line int
}

// where returns an Error without a reason at the name of the object.
func (e *entry) where() *Error {
	if e.doc != nil {
		return e.doc.errorAt("metadata.name", "")
	}
	return &Error{e.file, e.line, ""}
}

// fault is an error in a file.
type fault struct {
	ref    model.Ref // the object that alone is concerned; zero if the file cannot be used
	reason string    // a reason of package translate
	err    error
}

// contents are the objects and errors of a document or file.
type contents struct {
	entries []entry
	faults  []fault
	skipped skips
}

// decodeDocument reads the objects of a document.
func decodeDocument(d *document) contents {
	var c contents
	switch {
	case d.fault != nil:
		c.fail(d.fault)
		return c
	case d.json == nil && len(bytes.TrimSpace(d.text)) == 0:
		return c
	case d.json == nil:
		if err := d.parse(); err != nil {
			c.fail(err)
			return c
		}
	}
	if !d.empty() {
		c.object(d)
	}
	return c
}

// fail adds an error that makes the file unusable.
func (c *contents) fail(err error) { c.faults = append(c.faults, fault{err: err}) }

// object reads the object of a document.
func (c *contents) object(d *document) {
	var meta metav1.TypeMeta
	if err := json.Unmarshal(d.json, &meta); err == nil && meta == (metav1.TypeMeta{}) {
		meta = d.inherited
	}
	switch {
	case meta.APIVersion == "" || meta.Kind == "":
		c.notAnObject(d)
		return
	case isList(meta):
		c.list(d, meta)
		return
	}
	k, known := kinds[meta]
	switch {
	case known:
		c.add(d, meta.Kind, k)
	case isOurs(meta):
		c.faults = append(c.faults, fault{partialRef(d, meta.Kind), translate.ReasonUnsupportedVersion, d.errorAt("apiVersion",
			"%s %s is not supported: %s. The object is left out", meta.APIVersion, meta.Kind, supportedVersion(meta.Kind))})
	default:
		c.skipped.add(Skipped{d.file, d.lineOf("kind"), notSupported(meta)})
	}
}

// notAnObject reports a document without apiVersion and kind. JSON files are often something else than manifests.
func (c *contents) notAnObject(d *document) {
	const reason = "not a Kubernetes object: apiVersion and kind must be set"
	if strings.HasSuffix(d.file, ".json") {
		c.skipped.add(Skipped{d.file, d.lineOf(""), reason})
		return
	}
	c.fail(d.errorAt("", reason))
}

// list reads the items of a List, as printed by kubectl get.
func (c *contents) list(d *document, meta metav1.TypeMeta) {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(d.json, &list); err != nil {
		c.fail(d.errorAt("items", "%s", typeErrorText(err)))
		return
	}
	var items *yamlnode.Node
	if tree := d.tree(); tree != nil {
		items, _ = child(tree, "items")
	}
	for i, item := range list.Items {
		one := &document{file: d.file, line: d.line, json: item, inherited: itemMeta(meta)}
		if items != nil {
			one.node, _ = child(items, strconv.Itoa(i))
		}
		c.object(one)
	}
}

// add decodes an object. An invalid object is set aside. Unknown fields are ignored.
func (c *contents) add(d *document, name string, k kind) {
	o, unknown, invalid := k.decode(d)
	if len(invalid) == 0 {
		invalid = checkMeta(d, o, k)
	}
	if len(unknown)+len(invalid) > 0 {
		ref := partialRef(d, name)
		for _, err := range unknown {
			c.faults = append(c.faults, fault{ref, translate.ReasonUnknownField, err})
		}
		for _, err := range invalid {
			c.faults = append(c.faults, fault{ref, translate.ReasonInvalidObject, err})
		}
	}
	if len(invalid) > 0 {
		return
	}
	ref := model.Ref{Kind: name, Namespace: o.GetNamespace(), Name: o.GetName()}
	c.entries = append(c.entries, entry{ref: ref, kind: k, object: o, doc: d, file: d.file, line: d.line})
}

// partialRef returns the name of an object that may be invalid. It returns a zero Ref if the object has no name.
func partialRef(d *document, kind string) model.Ref {
	var o struct {
		Metadata struct {
			Name      string `json:"name"`
			Namespace string `json:"namespace"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(d.json, &o); err != nil || o.Metadata.Name == "" {
		return model.Ref{}
	}
	if o.Metadata.Namespace == "" && kind != kindIngressClass && kind != translate.KindNamespace {
		o.Metadata.Namespace = metav1.NamespaceDefault
	}
	return model.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
}
