package main

import (
	"cmp"
	"fmt"
)

// target is a performance target and its result.
type target struct {
	against  *proxy // the reference; nil if the target is absolute
	best     bool   // whether the reference is the best rival
	is, most float64
	unit     string // unit of absolute figures
}

func (t target) about() string {
	switch {
	case t.against == nil:
		return "itself"
	case t.best:
		return t.against.rival.name + ", the best"
	default:
		return t.against.rival.name
	}
}

func (t target) verdict() string {
	if t.is <= t.most {
		return "met"
	}
	return fmt.Sprintf("missed by %.0f %%", (t.is/t.most-1)*100)
}

// targets evaluates a finding. Targets whose rival is missing are omitted.
func (f *finding) targets() []target {
	own, figure := f.find(limpetName), f.workload.counts()
	if own == nil {
		return nil
	}
	if f.workload.most > 0 {
		return []target{{is: own.median(figure) / kib, most: f.workload.most / kib, unit: " KiB"}}
	}
	var all []target
	for _, p := range f.proxies {
		if most, ok := f.workload.limits[p.rival.name]; ok {
			all = append(all, target{against: p, is: own.median(figure) / p.median(figure), most: most})
		}
	}
	if best := f.best(); f.workload.limits == nil && best != nil {
		most := cmp.Or(f.workload.bestLimit, 1)
		all = append(all, target{against: best, best: true, is: own.median(figure) / best.median(figure), most: most})
	}
	return all
}

// counts returns the figure that the workload measures.
func (w *workload) counts() func(result) float64 {
	if w.idle {
		return resident
	}
	if w.share > 0 {
		return p99
	}
	return cpu
}

// best returns the rival with the lowest figure, or nil.
func (f *finding) best() *proxy {
	var best *proxy
	figure := f.workload.counts()
	for _, p := range f.proxies {
		if p.rival.isRival() && (best == nil || p.median(figure) < best.median(figure)) {
			best = p
		}
	}
	return best
}

func (r *rival) isRival() bool {
	return !r.blind && !r.plain && r.name != limpetName && r.name != baselineName
}

// find returns a proxy by name, or nil if it did not take part.
func (f *finding) find(name string) *proxy {
	for _, p := range f.proxies {
		if p.rival.name == name {
			return p
		}
	}
	return nil
}

func cpu(r result) float64       { return r.cpu }
func perSecond(r result) float64 { return r.perSecond }
func p50(r result) float64       { return r.p50 }
func p99(r result) float64       { return r.p99 }
func p999(r result) float64      { return r.p999 }
func busy(r result) float64      { return r.busy }
func resident(r result) float64  { return r.resident }
