package routing

import (
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
)

// filters returns the filters of a route in the order in which they run: those that restrict access come first.
func (c *compiler) filters(m *model.Route) (chain filter.Chain) {
	isChallenge := m.ServesChallenges()
	chain.Add(filter.NewClientCertificates(m.Clients, isChallenge))
	chain.Add(filter.NewClosed(m.Closed != ""))
	f := m.Filters
	if f == nil {
		f = &model.Filters{}
	}
	chain.Add(filter.NewHTTPSRedirect(m.Filters, isChallenge))
	chain.Add(filter.NewTLSOnly(m.Clients, isChallenge))
	chain.Add(filter.NewAuthFields(m))
	chain.Add(filter.NewCORS(f.CORS))
	chain.Add(filter.NewRedirect(m.Filters))
	chain.Add(filter.NewSlashRedirect(m.Filters))
	chain.Add(filter.NewRateLimit(f.RateLimit))
	chain.Add(c.access(m))
	chain.Add(filter.NewRouteLimits(m.Limits))
	chain.Add(c.mirror(m))
	chain.Add(filter.NewRewrite(m.Filters))
	chain.Add(filter.NewForwardHeaders(m.Filters))
	chain.Add(filter.NewHeaders(f.Headers))
	chain.Add(filter.NewResponseRate(f.ResponseRate))
	chain.Add(filter.NewCompression(f.Compression))
	chain.Add(filter.NewResponseRewrites(f.Rewrites))
	chain.Add(filter.NewTransportSecurity(m.TransportSecurity))
	return chain
}

// access returns the filter that combines all checks of who may access a route, in the order of nginx.
func (c *compiler) access(m *model.Route) filter.Filter {
	if m.Filters == nil {
		return nil
	}
	var checks []filter.AccessCheck
	if a := m.Filters.Access; a != nil {
		checks = append(checks, filter.NewAddresses(a.Addresses), filter.NewPasswords(a.Passwords, m.ServesChallenges()))
	}
	if auth := m.Filters.ExternalAuth; auth != nil {
		checks = append(checks, filter.NewExternalAuth(m, c.endpoints(auth.Service)))
	}
	return filter.NewAccess(filter.IsAnySatisfying(m.Filters), checks...)
}

func (c *compiler) mirror(m *model.Route) filter.Filter {
	if m.Filters == nil || m.Filters.Mirror == nil {
		return nil
	}
	return filter.NewMirror(m, c.endpoints(m.Filters.Mirror.Service))
}

// endpoints returns the endpoints of a pool, or nil if id is nil.
func (c *compiler) endpoints(id *model.PoolID) filter.Endpoints {
	if id == nil {
		return nil
	}
	return c.pools.Pool(*id)
}
