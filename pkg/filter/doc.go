// Package filter contains the filters of routes. They process a request before its backend is chosen, and a response before
// it is sent.
//
// A filter is one small type in a file of its own. It implements RequestFilter, ResponseFilter or both. pkg/routing compiles
// the model of a route to a Chain, one line per filter, in the order in which the filters run; pkg/exchange runs the Chain.
// Filters are immutable once compiled and are shared by all requests of a route. They allocate nothing where they do not
// apply.
//
// To add a filter:
//
//  1. Write its type and constructor in a new file of this package. The constructor takes the part of model.Route that the
//     filter is for, and returns nil if the route does not use it.
//  2. Add its line to compileFilters in pkg/routing.
//  3. Have pkg/translate fill that part of the model from its annotation.
//
// The package implements the filters. Other packages match requests to routes (routing), run filters and write responses
// (exchange), and decide which filters a route has (translate).
package filter
