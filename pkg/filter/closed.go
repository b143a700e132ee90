package filter

import "net/http"

// Closed refuses every request of a route whose protection Limpet cannot enforce (model.Route.Closed).
type Closed struct{}

// NewClosed returns a filter for a closed route, and nil for other routes.
func NewClosed(isClosed bool) Filter {
	if !isClosed {
		return nil
	}
	return Closed{}
}

// routeClosed does not contain the reason, which only the author of the object and the operator may see. It has no
// Retry-After, because only a configuration change opens the route.
var routeClosed = NewText(http.StatusServiceUnavailable, "This route is not available.")

// Name implements Filter.
func (Closed) Name() string { return "closed" }

// Protects implements Protector.
func (Closed) Protects() bool { return true }

// FilterRequest implements RequestFilter.
func (Closed) FilterRequest(*Request) *Response { return routeClosed }

var _ Protector = Closed{}
