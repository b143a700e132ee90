package routing

import (
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
)

// compileFilters returns the filters of a route in the order in which they run: those that restrict access come first.
func compileFilters(m *model.Route) (c filter.Chain) {
	c.Add(filter.NewClientCertificates(m.Clients, m.Path))
	c.Add(filter.NewClosed(m.Closed != ""))
	f := m.Filters
	if f == nil {
		f = &model.Filters{}
	}
	c.Add(filter.NewCORS(f.CORS))
	c.Add(filter.NewRateLimit(f.RateLimit))
	c.Add(filter.NewRouteLimits(m.Limits))
	c.Add(filter.NewHeaders(f.Headers))
	c.Add(filter.NewResponseRate(f.ResponseRate))
	c.Add(filter.NewCompression(f.Compression))
	c.Add(filter.NewResponseRewrites(f.Rewrites))
	c.Add(filter.NewTransportSecurity(m.TransportSecurity))
	return c
}
