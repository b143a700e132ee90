package routing

import (
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
)

// compileFilters returns the filters of a route in the order in which they run: those that restrict access come first.
func (p compiler) compileFilters(m *model.Route) (c filter.Chain) {
	c.Add(filter.NewClientCertificates(m.Clients, m.Path))
	c.Add(filter.NewClosed(m.Closed != ""))
	c.Add(filter.NewAuthFields(m))
	if auth := filter.NewExternalAuth(m, p.authEndpoints(m.Filters)); auth != nil {
		c.Add(auth)
	}
	c.Add(filter.NewRouteLimits(m.Limits))
	c.Add(filter.NewTransportSecurity(m.TransportSecurity))
	return c
}

// authEndpoints returns the endpoints of the Service that authenticates clients, or nil if there is no such Service.
func (p compiler) authEndpoints(m *model.Filters) filter.Endpoints {
	if m == nil || m.ExternalAuth == nil {
		return nil
	}
	return p.endpoints(m.ExternalAuth.Service)
}

// endpoints returns the endpoints of a pool, or nil if id is nil.
func (p compiler) endpoints(id *model.PoolID) filter.Endpoints {
	if id == nil {
		return nil
	}
	return p.pools.Pool(*id)
}
