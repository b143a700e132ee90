package routing

import (
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Usage counts the requests of a route in this process. It outlives each Table, as long as the host has a route with the same
// path from the same object. It is safe for concurrent use.
type Usage struct {
	requests atomic.Uint64
	last     atomic.Int64
}

// Count counts a request that began at a time in Unix seconds. u may be nil.
func (u *Usage) Count(unix int64) {
	if u == nil {
		return
	}
	u.requests.Add(1)
	if u.last.Load() < unix {
		u.last.Store(unix)
	}
}

// Requests returns the number of requests.
func (u *Usage) Requests() uint64 { return u.requests.Load() }

// LastUsed returns when the last request began, in Unix seconds. It is zero if there was no request.
func (u *Usage) LastUsed() int64 { return u.last.Load() }

// UsageOf returns the Usage of a route of the model from which t was built. It returns nil for another route. t may be nil.
func (t *Table) UsageOf(r *model.Route) *Usage { return t.host(r.Host).usageOf(r) }

// usageOf returns the Usage of the route with the same path, path type and source, or nil. Routes that differ in their conditions
// only share it. h may be nil.
func (h *host) usageOf(r *model.Route) *Usage {
	if h == nil {
		return nil
	}
	for i := range h.model {
		m := &h.model[i]
		if m.Path == r.Path && m.PathType == r.PathType && m.Source == r.Source {
			return h.usage[i]
		}
	}
	return nil
}

// setUsage sets the Usage of each route: that of previous, which may be nil, or a new one.
func (h *host) setUsage(previous *host) {
	type key struct {
		path     string
		pathType model.PathType
		source   model.Ref
	}
	known := map[key]*Usage{}
	if previous != nil {
		for i := range previous.model {
			m := &previous.model[i]
			known[key{m.Path, m.PathType, m.Source}] = previous.usage[i]
		}
	}
	h.usage = make([]*Usage, len(h.model))
	for i := range h.model {
		m := &h.model[i]
		k := key{m.Path, m.PathType, m.Source}
		if known[k] == nil {
			known[k] = &Usage{}
		}
		h.usage[i] = known[k]
	}
}
