package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// Skipped is an object or file that was ignored.
type Skipped struct {
	File string
	Line int
	// What is the reason, such as an unsupported kind.
	What string
}

// String returns "FILE:LINE: WHAT".
func (s Skipped) String() string { return (&Error{s.File, s.Line, s.What}).Error() }

// Read parses YAML documents. The file name is used in errors only.
func Read(file string, text []byte) (*translate.Snapshot, []Skipped, error) {
	r := newReader()
	r.read(file, text)
	return r.result()
}

// reader collects the objects of all files.
type reader struct {
	snapshot *translate.Snapshot
	defined  map[model.Ref]*Error // file and line of each object
	skipped  []Skipped
	errs     []error
}

func newReader() *reader {
	return &reader{snapshot: &translate.Snapshot{}, defined: map[model.Ref]*Error{}}
}

func (r *reader) result() (*translate.Snapshot, []Skipped, error) {
	if err := join(r.errs); err != nil {
		return nil, nil, err
	}
	return r.snapshot, r.skipped, nil
}

func (r *reader) read(file string, text []byte) {
	for _, d := range split(file, text) {
		if len(bytes.TrimSpace(d.text)) == 0 {
			continue
		}
		if err := d.parse(); err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		if !d.empty() {
			r.object(d)
		}
	}
}

// object reads the object of a document.
func (r *reader) object(d *document) {
	var meta metav1.TypeMeta
	if err := json.Unmarshal(d.json, &meta); err != nil || meta.APIVersion == "" || meta.Kind == "" {
		r.errs = append(r.errs, d.errorAt("", "not a Kubernetes object: apiVersion and kind must be set"))
		return
	}
	if meta == (metav1.TypeMeta{APIVersion: "v1", Kind: "List"}) {
		r.list(d)
		return
	}
	k, known := kinds[meta]
	if !known {
		what := fmt.Sprintf("kind %s %s is not supported", meta.APIVersion, meta.Kind)
		r.skipped = append(r.skipped, Skipped{d.file, d.lineOf("kind"), what})
		return
	}
	r.add(d, meta.Kind, k)
}

// list reads the items of a v1 List, as printed by kubectl get.
func (r *reader) list(d *document) {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(d.json, &list); err != nil {
		r.errs = append(r.errs, d.errorAt("items", "%s", typeErrorText(err)))
		return
	}
	items, _ := child(d.node, "items")
	for i, item := range list.Items {
		node, _ := child(items, fmt.Sprint(i))
		r.object(&document{file: d.file, line: d.line, json: item, node: node})
	}
}

// add decodes an object and adds it to the snapshot, unless it is invalid or already defined.
func (r *reader) add(d *document, name string, k kind) {
	o, errs := k.decode(d)
	if len(errs) == 0 {
		errs = checkMeta(d, o, k)
	}
	if len(errs) > 0 {
		r.errs = append(r.errs, errs...)
		return
	}
	ref := model.Ref{Kind: name, Namespace: o.GetNamespace(), Name: o.GetName()}
	if first := r.defined[ref]; first != nil {
		r.errs = append(r.errs, d.errorAt("metadata.name", "%s is already defined at %s:%d", ref, first.File, first.Line))
		return
	}
	r.defined[ref] = d.errorAt("metadata.name", "")
	k.add(r.snapshot, o)
}
