package exchange

import (
	"errors"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// selection is the route, backend and endpoint of a request. Each of its steps returns nil to continue, or the response to
// send instead.
type selection struct {
	table    *routing.Table
	route    *routing.Route
	backend  *routing.Backend
	set      *upstream.Set
	decision affinity.Decision
	// probe is held while the request may be the one that probes an ejected endpoint. It is usually nil.
	probe *upstream.Probe
	// isUnknown is true if this replica has not seen the session at its endpoint recently.
	isUnknown bool
	// isFallback is true if the fallback of the route serves the request.
	isFallback bool
	// trace records the decision of each step. Nil disables it.
	trace *Trace
}

// reset clears s for the next request.
func (s *selection) reset() {
	s.table, s.route, s.backend, s.set, s.trace, s.probe = nil, nil, nil, nil, nil, nil
	s.decision, s.isFallback, s.isUnknown = affinity.Decision{}, false, false
}

// match loads the current table and finds the route of r in it. The request uses this table until it ends.
func (s *selection) match(r *request) *filter.Response {
	if err := r.normalize(); err != nil {
		return malformed(err)
	}
	s.table = r.Engine.Tables.Current()
	if s.table == nil {
		return noTable
	}
	r.view.Hosts = s.table
	s.route = s.table.Match(r.view.Host, r.view.Path, r.identity())
	if s.trace != nil {
		s.trace.recordMatch(r, s.table, s.route)
	}
	if s.route == nil {
		return noRoute
	}
	return nil
}

// filterRequest runs the request filters of the route, and applies Max-Forwards to a request that they accept.
func (s *selection) filterRequest(r *request) (resp *filter.Response) {
	if s.trace != nil {
		resp = s.route.Filters.Trace(&r.view, func(f filter.RequestFilter, resp *filter.Response) {
			s.trace.recordFilter(r, f, resp)
		})
	} else {
		resp = s.route.Filters.FilterRequest(&r.view)
	}
	if resp != nil {
		return resp
	}
	return r.maxForwards()
}

// malformed returns the response to a request that is not valid HTTP or exceeds a limit. err is an *http1.Error.
func malformed(err error) *filter.Response {
	var e *http1.Error
	if !errors.As(err, &e) {
		e = &http1.Error{Status: 400, Reason: "it is malformed"}
	}
	return filter.NewText(e.Status, "The request is refused: "+e.Reason+".").Closing()
}
