package main

import "github.com/limpet-dev/limpet/pkg/admin/dashboard"

func (n *node) newDashboard() *dashboard.Dashboard {
	return dashboard.New(dashboard.Options{Version: buildVersion(), Ready: n.ready, Pools: n.pools, Metrics: n.metrics,
		Changes: n.publisher.Changes, State: n.dashboardState})
}

// dashboardState returns what is served now, for the dashboard.
func (n *node) dashboardState() dashboard.State {
	current, last := n.tables.Current(), n.publisher.Last()
	if current == nil || last == nil {
		return dashboard.State{}
	}
	s := dashboard.State{Generation: current.Generation, Digest: current.Digest(), BuiltAt: current.BuiltAt,
		Routes: last.Model.Routes, Certificates: last.Model.Certificates}
	for _, r := range last.Problems() {
		for _, p := range r.Problems {
			s.Problems = append(s.Problems, dashboard.Problem{Object: r.Ref, Field: p.Field, Reason: p.Reason, Message: p.Message})
		}
	}
	return s
}
