package manifest

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// kindFile is the kind of the Refs of files in Reports.
const kindFile = "File"

// manifestFile is the state of one file.
type manifestFile struct {
	name   string
	digest [32]byte // of the text
	docs   []*document
	contents
	// good are the objects of the last text without errors.
	good []entry
}

// decodeFiles reads the objects of the documents, on all processors.
func decodeFiles(files []*manifestFile) {
	var docs []*document
	for _, f := range files {
		docs = append(docs, f.docs...)
	}
	decoded := make([]contents, len(docs))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(docs)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(docs)); i = next.Add(1) - 1 {
				decoded[i] = decodeDocument(docs[i])
			}
		})
	}
	workers.Wait()
	for _, f := range files {
		for i := range f.docs {
			c := &decoded[i]
			f.entries, f.faults = append(f.entries, c.entries...), append(f.faults, c.faults...)
			f.skipped.merge(&c.skipped)
		}
		decoded, f.docs = decoded[len(f.docs):], nil
	}
}

// merge combines files.
type merge struct {
	snapshot *translate.Snapshot
	defined  map[model.Ref]*entry
	skipped  skips
	faults   []fileFault
}

// fileFault is a fault with its file.
type fileFault struct {
	file string
	fault
}

func newMerge() *merge {
	return &merge{snapshot: &translate.Snapshot{}, defined: map[model.Ref]*entry{}}
}

// add adds the objects of a file, and everything that was found in it.
func (m *merge) add(f *manifestFile, entries []entry) {
	m.skipped.merge(&f.skipped)
	for _, one := range f.faults {
		m.faults = append(m.faults, fileFault{f.name, one})
	}
	for i := range entries {
		e := &entries[i]
		if first := m.defined[e.ref]; first != nil {
			at, here := first.where(), e.where()
			m.faults = append(m.faults, fileFault{f.name, fault{e.ref, translate.ReasonDuplicateObject,
				(&Error{here.File, here.Line, e.ref.String() + " is already defined at " + at.position()})}})
			continue
		}
		m.define(e)
	}
}

// addMissing adds the objects of an earlier text of a file that no file defines now.
func (m *merge) addMissing(entries []entry) {
	for i := range entries {
		if m.defined[entries[i].ref] == nil {
			m.define(&entries[i])
		}
	}
}

func (m *merge) define(e *entry) {
	m.defined[e.ref] = e
	e.kind.add(m.snapshot, e.object)
}

// errors returns the errors of all files.
func (m *merge) errors() []error {
	out := make([]error, len(m.faults))
	for i, f := range m.faults {
		out[i] = f.err
	}
	return out
}

// result returns what was merged. The texts of documents are not needed any more.
func (m *merge) result() *Contents {
	for _, e := range m.defined {
		e.doc = nil
	}
	m.snapshot.Now, m.snapshot.Reports = time.Now(), m.reports()
	return &Contents{Snapshot: m.snapshot, Skipped: m.skipped.sorted()}
}

// reports returns one Report for each object or file with errors.
func (m *merge) reports() []translate.Report {
	byRef := map[model.Ref]int{}
	var out []translate.Report
	for _, f := range m.faults {
		ref := f.ref
		if ref == (model.Ref{}) {
			ref = model.Ref{Kind: kindFile, Name: f.file}
		}
		at, known := byRef[ref]
		if !known {
			at, byRef[ref] = len(out), len(out)
			out = append(out, translate.Report{Ref: ref})
		}
		problems := out[at].Problems
		if len(problems) < maxErrors {
			out[at].Problems = append(problems, f.problem())
		}
	}
	return out
}

func (f *fileFault) problem() translate.Problem {
	reason := f.reason
	if reason == "" {
		reason = translate.ReasonInvalidFile
	}
	var positioned *Error
	if !errors.As(f.err, &positioned) {
		return translate.Problem{Reason: reason, Message: f.err.Error()}
	}
	return translate.Problem{Reason: reason, Message: positioned.Error()}
}

// fileErrors returns the errors that make files unusable.
func (m *merge) fileErrors() []error {
	var out []error
	for _, f := range m.faults {
		if f.ref == (model.Ref{}) {
			out = append(out, f.err)
		}
	}
	return slices.Clip(out)
}
