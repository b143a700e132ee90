// Package filter has what a route does to a request before its backend is chosen, and to a response before it is sent.
//
// A filter is one small type in a file of its own. It implements RequestFilter, ResponseFilter or both. pkg/routing compiles
// the model of a route to a Chain, one line per filter, in the order in which the filters run; pkg/exchange runs the Chain.
// Filters are immutable once compiled and are shared by all requests of a route. They allocate nothing where they do not
// apply.
//
// To add a filter:
//
//  1. Write its type and constructor in a new file of this package. The constructor takes the part of model.Route that the
//     filter is for, and returns nil if the route does not ask for it.
//  2. Add its line to compileFilters in pkg/routing.
//  3. Have pkg/translate fill that part of the model from its annotation.
//
// The package decides what each filter does. It leaves to others which route a request matches (routing), when filters run
// and how a Response is written (exchange), and which filters a route has (translate).
package filter
