package routing

import (
	"cmp"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// compiler compiles one host. Pools and names outlive each Table.
type compiler struct {
	pools     *upstream.Registry
	usedNames *affinity.UsedNames

	compiled *model.Affinity // the last one, which most backends of a host share
	policy   *affinity.Policy
}

func (c *compiler) route(m *model.Route) *Route {
	r := &Route{Route: m, canary: compileCanary(m.Canary), conditions: compileConditions(m.Conditions), Closed: m.Closed != "",
		Filters: c.filters(m)}
	if m.Fallback != nil {
		fallback := c.backend(m.Fallback)
		r.Fallback = &fallback
	}
	if m.Filters != nil && m.Filters.ErrorPages != nil {
		r.ErrorPages = filter.NewErrorPages(m, c.endpoints(&m.Filters.ErrorPages.Service))
	}
	r.isProtected = r.Filters.ProtectsRoute()
	for i := range m.Backends {
		b := c.backend(&m.Backends[i])
		r.weights += b.Weight
		r.StickySplit = r.StickySplit || b.Policy.StickySplit() && len(m.Backends) > 1
		r.Backends = append(r.Backends, b)
	}
	return r
}

// affinity compiles the Affinity of a backend. Backends that follow each other and share one also share the Policy.
// They have the same namespace, and so the same reserved headers.
func (c *compiler) affinity(m *model.Backend) *affinity.Policy {
	if c.compiled != m.Affinity {
		c.compiled, c.policy = m.Affinity, c.usedNames.Compile(m.Affinity, m.Reserved...)
	}
	return c.policy
}

func (c *compiler) backend(m *model.Backend) Backend {
	pool := c.pools.Pool(m.Pool)
	policy, ejection, limits := affinity.Balance(m.Balance, m.Reserved...), m.Ejection, m.RequestLimits
	if m.Affinity != nil {
		policy, ejection = c.affinity(m), cmp.Or(m.Affinity.Ejection, ejection)
		limits = cmp.Or(m.Affinity.RequestLimits, limits)
	}
	return Backend{
		Pool:          pool,
		Policy:        policy,
		Weight:        uint64(max(m.Weight, 0)),
		Transport:     pool.Transport(m.Transport),
		Ejection:      cmp.Or(ejection, &model.DefaultEjection),
		RequestLimits: limits,
	}
}
