// Package filter contains the filters of routes. They process a request before its backend is chosen, and a response before
// it is sent.
//
// A filter is one small type in a file of its own. It implements RequestFilter, ResponseFilter or both. pkg/routing compiles
// the model of a route to a Chain, one line per filter, in the order in which the filters run; pkg/exchange runs the Chain.
// Filters are immutable once compiled and are shared by all requests of a route. They allocate nothing where they do not
// apply.
//
// To add a filter to routes:
//
//  1. Add a field to model.Route. Its zero value means that the route does not use the filter.
//  2. Write the type and constructor of the filter in a new file of this package. The constructor takes that field, and
//     returns nil if the route does not use it. A filter that restricts access also implements Protector.
//  3. Add its line to compiler.filters in pkg/routing/filters.go. Filters that restrict access come first.
//  4. Have pkg/translate fill the field from an annotation, which must be added to annotationNames in annotations.go. If it
//     restricts access, add it to protectiveOwn in protection.go too: then a misspelling closes the route.
//  5. Describe the annotation in docs/reference/annotations.md.
//
// Two filters belong to no route. Package exchange adds AltSvc to all responses in its engine.go, and runs LocalFields on
// Limpet's own responses in its respond.go.
//
// The package implements the filters. Other packages match requests to routes (routing), run filters and write responses
// (exchange), and decide which filters a route has (translate).
package filter
