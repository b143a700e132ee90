package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/admin/dashboard"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/status"
)

// peerStatusPath is the path at which replicas describe themselves to each other. maxPeerStatus bounds the description in bytes.
const (
	peerStatusPath = "/peers/status"
	maxPeerStatus  = 256 << 10
)

// summarize compares this replica with the others.
func (n *node) summarize(ctx context.Context) *status.Summary {
	members := []status.Member{{Name: n.fleet.Self.Name, Replica: n.status()}}
	if n.fleet.Unknown != "" {
		members = append(members, status.Member{Name: "other replicas", Error: n.fleet.Unknown})
	}
	if n.fleet.Peers != nil {
		for _, response := range n.fleet.Peers.Do(ctx, http.MethodGet, peerStatusPath, nil, maxPeerStatus) {
			m := status.Member{Name: response.Name}
			err := response.Err
			if err == nil {
				err = json.Unmarshal(response.Body, &m.Replica)
			}
			if err != nil {
				m.Replica, m.Error = nil, err.Error()
			}
			members = append(members, m)
		}
	}
	return status.Summarize(members, time.Now())
}

func (n *node) newDashboard() *dashboard.Dashboard {
	return dashboard.New(dashboard.Options{Version: buildVersion(), Ready: n.ready, Pools: n.pools, Metrics: n.metrics,
		Sessions: n.fleet.Total, Replicas: n.summarize,
		Changes: n.publisher.Changes, Usage: n.routeUsage, State: n.dashboardState})
}

// routeUsage returns the number of requests of a route, and the time of the last one.
func (n *node) routeUsage(r *model.Route) (requests uint64, last int64) {
	if u := n.tables.Current().UsageOf(r); u != nil {
		return u.Requests(), u.LastUsed()
	}
	return 0, 0
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
