package routing

import (
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
)

// compileFilters returns the filters of a route in the order in which they run: those that restrict access come first.
func (p compiler) compileFilters(m *model.Route) (c filter.Chain) {
	c.Add(filter.NewClientCertificates(m.Clients, m.Path))
	c.Add(filter.NewClosed(m.Closed != ""))
	f := m.Filters
	if f == nil {
		f = &model.Filters{}
	}
	c.Add(filter.NewHTTPSRedirect(m.Filters, m.Path))
	c.Add(filter.NewTLSOnly(m.Clients, m.Path))
	c.Add(filter.NewAuthFields(m))
	c.Add(filter.NewCORS(f.CORS))
	c.Add(filter.NewRedirect(m.Filters))
	c.Add(filter.NewSlashRedirect(m.Filters))
	c.Add(filter.NewRateLimit(f.RateLimit))
	c.Add(p.access(m))
	c.Add(filter.NewRouteLimits(m.Limits))
	c.Add(p.mirror(m.Filters))
	c.Add(filter.NewRewrite(m.Filters))
	c.Add(filter.NewForwardHeaders(m.Filters))
	c.Add(filter.NewHeaders(f.Headers))
	c.Add(filter.NewResponseRate(f.ResponseRate))
	c.Add(filter.NewCompression(f.Compression))
	c.Add(filter.NewResponseRewrites(f.Rewrites))
	c.Add(filter.NewTransportSecurity(m.TransportSecurity))
	return c
}

// access returns the filter that combines all checks of who may access a route, in the order of nginx.
func (p compiler) access(m *model.Route) filter.Filter {
	if m.Filters == nil {
		return nil
	}
	var checks []filter.AccessCheck
	if a := m.Filters.Access; a != nil {
		checks = append(checks, filter.NewAddresses(a.Addresses), filter.NewPasswords(a.Passwords, m.Path))
	}
	if auth := m.Filters.ExternalAuth; auth != nil {
		checks = append(checks, filter.NewExternalAuth(m, p.endpoints(auth.Service)))
	}
	return filter.NewAccess(filter.IsAnySatisfying(m.Filters), checks...)
}

func (p compiler) mirror(m *model.Filters) filter.Filter {
	if m == nil || m.Mirror == nil {
		return nil
	}
	return filter.NewMirror(m.Mirror, p.endpoints(m.Mirror.Service))
}

// endpoints returns the endpoints of a pool, or nil if id is nil.
func (p compiler) endpoints(id *model.PoolID) filter.Endpoints {
	if id == nil {
		return nil
	}
	return p.pools.Pool(*id)
}
