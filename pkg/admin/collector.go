package admin

import (
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// visitPools returns a function that visits the load of all endpoints.
func visitPools(pools *upstream.Registry) observe.VisitPools {
	return func(visit func(int, string, []observe.EndpointLoad)) {
		var loads []observe.EndpointLoad
		for _, p := range pools.Pools() {
			set := p.Set()
			loads = loads[:0]
			for i, e := range set.Endpoints() {
				loads = append(loads, observe.EndpointLoad{Address: e.Address, State: e.State, IsReady: i < set.Ready(),
					Sessions: e.Sessions(), InFlight: e.InFlight()})
			}
			visit(p.Slot, p.Name, loads)
		}
	}
}
