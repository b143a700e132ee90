package translate

import (
	"fmt"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// KindEndpoints is the kind of entries of Result.Referenced that represent the EndpointSlices and pods of a Service.
const KindEndpoints = "Endpoints"

// namePods records in each pool the labels and annotations by which policies name pods, and reports those that no pod has.
func (b *builder) namePods() {
	b.eachName(func(_ model.Ref, by model.Identity, id model.PoolID, _ *model.Affinity, _ string) {
		pool := b.pools[id]
		if !slices.Contains(pool.Names, by) {
			pool.Names = append(pool.Names, by)
			slices.Sort(pool.Names)
			b.pools[id] = pool
		}
		b.refer(KindEndpoints, id.Namespace, id.Service)
	})
	endpoints := map[model.PoolID][]model.Endpoint{}
	b.eachName(func(route model.Ref, by model.Identity, id model.PoolID, a *model.Affinity, field string) {
		if _, known := endpoints[id]; !known {
			slices := b.lookups.endpointSlices(id.Namespace, id.Service)
			endpoints[id] = available(Endpoints(b.pools[id], slices, b.lookups.pod))
		}
		b.checkName(route, by, id, endpoints[id], a, field)
	})
}

// available returns the endpoints that accept requests.
func available(endpoints []model.Endpoint) []model.Endpoint {
	return slices.DeleteFunc(endpoints, func(e model.Endpoint) bool { return e.State == model.EndpointNotReady })
}

// eachName calls f for each method of a backend that names pods by a label or annotation, with its field and the object of
// the route.
func (b *builder) eachName(f func(route model.Ref, by model.Identity, id model.PoolID, a *model.Affinity, field string)) {
	for i := range b.routes.list {
		for _, backend := range b.routes.list[i].Backends {
			if backend.Affinity == nil {
				continue
			}
			for j, m := range backend.Affinity.Methods {
				if m.By != "" {
					f(b.routes.list[i].Source, m.By, backend.Pool, backend.Affinity, fmt.Sprintf("spec.methods[%d].named.key", j))
				}
			}
		}
	}
}

// checkName reports a label or annotation that no pod of the pool has. It reports nothing for a pool without endpoints.
func (b *builder) checkName(
	route model.Ref, by model.Identity, id model.PoolID, endpoints []model.Endpoint, a *model.Affinity, field string,
) {
	named := slices.ContainsFunc(endpoints, func(e model.Endpoint) bool { return e.Names[by] != "" })
	if len(endpoints) == 0 || named {
		return
	}
	b.impair(a, route, a.Source, ReasonUnknownPodKey, field,
		"no pod of %s has %s: the method recognizes no client there until a pod has it", id, by)
}
