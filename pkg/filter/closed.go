package filter

import "net/http"

// Closed refuses every request of a route whose protection Limpet cannot enforce (model.Route.Closed).
type Closed struct{}

// NewClosed returns a filter for a closed route, and nil for any other.
func NewClosed(isClosed bool) Filter {
	if !isClosed {
		return nil
	}
	return Closed{}
}

// routeClosed does not name the reason, which is for the author of the object and the operator. It has no Retry-After: only
// a change of the configuration opens the route.
var routeClosed = NewText(http.StatusServiceUnavailable, "This route is not available.")

// Name is part of Filter.
func (Closed) Name() string { return "closed" }

// Protects is part of Protector.
func (Closed) Protects() bool { return true }

// FilterRequest is part of RequestFilter.
func (Closed) FilterRequest(*Request) *Response { return routeClosed }

var _ Protector = Closed{}
