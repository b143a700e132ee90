package main

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/controllers"
	"github.com/limpet-dev/limpet/pkg/sessions"
)

// podSessions counts the sessions of all pods over all replicas. It returns an error if the numbers of a replica are missing,
// because they would be in a wrong order.
func (n *node) podSessions(ctx context.Context) (out []controllers.PodSessions, err error) {
	report := n.fleet.Total(ctx, sessions.Query{})
	if missing := report.Missing(); len(missing) > 0 {
		return nil, fmt.Errorf("replica %s: %s", missing[0].Name, missing[0].Error)
	}
	for i := range report.Pools {
		out = append(out, podSessionsOf(&report.Pools[i])...)
	}
	return out, nil
}

// podSessionsOf returns the sessions of the pods of a pool. It returns none if some sessions of the pool were not counted.
func podSessionsOf(pool *sessions.Pool) (out []controllers.PodSessions) {
	for _, p := range pool.Pods {
		if p.Incomplete {
			return nil
		}
		if p.Pod != "" && p.UID != "" {
			out = append(out, controllers.PodSessions{
				Pool: pool.Pool, Pod: types.NamespacedName{Namespace: p.Namespace, Name: p.Pod}, UID: types.UID(p.UID), Sessions: p.Sessions,
			})
		}
	}
	return out
}
