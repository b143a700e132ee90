package proxy

import "net/http"

// closedRoute is all that clients are told about a closed route: the reason is for the author and the operator.
const closedRoute = "This route is not available."

// admit reports whether the route is open. It responds to requests of a closed one, without Retry-After: only a change
// of the configuration opens it.
func (x *exchange) admit() bool {
	if !x.route.Closed {
		return true
	}
	x.server.Metrics.Closed.Inc()
	x.answerLater(http.StatusServiceUnavailable, closedRoute, "")
	return false
}

// isClosed reports whether the request was denied because its route is closed.
func (x *exchange) isClosed() bool {
	return x.route != nil && x.route.Closed && x.status() == http.StatusServiceUnavailable
}
