// Package exchange forwards one request to a pod and the response back. It does not depend on the protocol of the client.
//
// The type Exchange runs the steps of a request, in Exchange.serve:
//
//	match      match.go    the origin (origin.go), the normalized path and the host (request.go), then the route
//	filter     match.go    the request filters of the route (pkg/filter)
//	split      split.go    one of the route's backends
//	bind       bind.go     the endpoint, chosen by the backend's policy (pkg/affinity)
//	attempt    attempt.go  send the request, and retry as decideNext allows. http1attempt.go and http2attempt.go are the
//	                       upstream protocols, forward.go writes the head, and pump.go sends the body
//	filter     relay.go    the session's token (session.go), then the response filters, before the pod's head is sent
//	respond    relay.go    forward the pod's response. respond.go sends a response that Limpet generates, without a token.
//	                       errorpage.go replaces a response by an error page, with the session's token
//	record     record.go   metrics and the access log
//
// The first four steps need no connection. They are methods of selection and take a request. Each returns nil to continue, or
// the response to send instead. Explain runs them on a described request and records the decision of each step.
//
// An Engine holds what all exchanges share: the table, the keys, limits, metrics and the clock. guard.go implements the
// timeouts. longresponse.go and longstreams.go track streams: responses and tunnels that stay open for a long time.
//
// Two types hide the client's protocol: the request body is read from a BodySource, and the response is written to a
// Downstream. A Connection describes the client.
//
// The package decides when an attempt is repeated, what is forwarded, and what is sent if no pod responds. Client connections
// are the task of pkg/proxy, routes of pkg/routing, changes to messages of pkg/filter, the choice of the endpoint of
// pkg/affinity, upstream connections of pkg/upstream, and wire formats of pkg/http1 and pkg/http2.
package exchange
