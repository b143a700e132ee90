package routing

import (
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
)

// compileFilters returns the filters of a route in the order in which they run: those that restrict access come first.
func compileFilters(m *model.Route) (c filter.Chain) {
	c.Add(filter.NewClientCertificates(m.Clients, m.Path))
	c.Add(filter.NewClosed(m.Closed != ""))
	c.Add(filter.NewHTTPSRedirect(m.Filters, m.Path))
	c.Add(filter.NewRedirect(m.Filters))
	c.Add(filter.NewSlashRedirect(m.Filters))
	c.Add(filter.NewRouteLimits(m.Limits))
	c.Add(filter.NewRewrite(m.Filters))
	c.Add(filter.NewForwardHeaders(m.Filters))
	c.Add(filter.NewTransportSecurity(m.TransportSecurity))
	return c
}
