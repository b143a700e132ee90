package translate

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// SetSourceReports replaces the Reports of the source of the objects, which are Snapshot.Reports. It takes effect with the next
// Apply.
func (e *Engine) SetSourceReports(all []Report) {
	e.nextSource = map[model.Ref][]Report{}
	for i := range all {
		e.nextSource[all[i].Ref] = append(e.nextSource[all[i].Ref], all[i])
	}
}

// applySourceReports takes over the Reports of SetSourceReports.
func (e *Engine) applySourceReports() {
	if e.nextSource == nil {
		return
	}
	for _, source := range []map[model.Ref][]Report{e.source, e.nextSource} {
		for ref := range source {
			e.keepReport(ref)
		}
	}
	e.source, e.nextSource = e.nextSource, nil
}

// Reports returns the Reports of these objects, sorted. Objects without a Report are left out.
func (e *Engine) Reports(of []model.Ref) []Report {
	var out []Report
	for _, ref := range slices.Compact(slices.SortedFunc(slices.Values(of), compareRefs)) {
		if r := e.report(ref); r != nil {
			out = append(out, *r)
		}
	}
	return out
}

// report returns the Report of an object with the problems that the source found, or nil.
func (e *Engine) report(ref model.Ref) *Report {
	own, source := e.reports[ref], e.source[ref]
	if len(source) == 0 {
		return own
	}
	all := reports{}
	if own != nil {
		merged := *own
		merged.Problems = slices.Clone(own.Problems)
		all[ref] = &merged
	}
	all.addAll(source)
	return all[ref]
}
