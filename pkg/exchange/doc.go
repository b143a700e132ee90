// Package exchange carries one request from match to response, whatever protocol its client speaks.
//
// The type Exchange runs the steps of a request, in Exchange.serve:
//
//	match      match.go    the client's address, the normalized path and the host (request.go), then the route
//	filter     match.go    the request filters of the route (pkg/filter)
//	split      split.go    one of the route's backends
//	bind       bind.go     the endpoint, as the backend's policy decides (pkg/affinity)
//	attempt    attempt.go  send the request; decideNext is the rule of retries. http1attempt.go and http2attempt.go are the
//	                       two ways of speaking to pods, forward.go writes the head, and pump.go sends the body
//	filter     respond.go  the session's token (session.go) and the response filters, before the head is sent
//	respond    relay.go    pass the pod's response on; respond.go sends a response of Limpet's own
//	record     record.go   metrics and the access log
//
// The first four steps need no connection. They are methods of selection, on a request, and return the response to send
// instead of going on. Explain runs them on a request that was only described, and records what each decides.
//
// An Engine is what all exchanges share: the table, the keys, limits, metrics, the clock. guard.go has the timeouts, and
// flows.go and lasting.go have the streams: responses and tunnels that last.
//
// The client's protocol is behind two types: the body of the request comes from a BodySource, and the response goes to a
// Downstream. What is known about the client is in a Connection.
//
// The package decides when an attempt may be repeated, what is forwarded, and what is sent when no pod responds. It leaves
// client connections to pkg/proxy, which route to pkg/routing, what a route does to a message to pkg/filter, which endpoint
// to pkg/affinity, upstream connections to pkg/upstream, and the wire to pkg/http1 and pkg/http2.
package exchange
