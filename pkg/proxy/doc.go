// Package proxy is the data plane: listeners, the connections of clients, and what happens to a request on its way to
// a pod and back.
//
// One goroutine at a time serves a connection of HTTP/1.1, or a stream of HTTP/2 or HTTP/3: it reads a request, pins the
// current routing.Table, finds the route, binds the request to an endpoint, writes to the pod, reads its answer and writes it
// to the client. The type exchange carries a request through these steps, and knows nothing of the protocol that the client
// speaks: the body comes by a bodySource, and the answer goes to a downstream.
//
// It decides when an attempt may be repeated, what is forwarded, what is answered when no pod does, and whether the TLS
// connection of a request is one that its route may be reached over.
//
// To read it, begin with what every request has: exchange.go, and its steps in their order, match.go, split.go, bind.go,
// attempt.go, relay.go (answer.go where no pod answers), record.go. Then come the two sides: how pods are asked
// (http1attempt.go, http2attempt.go, and pump.go for the body), and the clients' protocols, which are downstreams: for
// N of 1, 2 and 3 httpN.go has the connection and httpNstream.go a request. server.go and client.go stand before all of
// it, guard.go has the timeouts, and flows.go what goes on for long.
//
// It leaves which route to pkg/routing, which endpoint to pkg/affinity, how connections to pods are kept to pkg/upstream,
// the wire to pkg/http1 and pkg/http2, and which certificate is presented to pkg/certs.
package proxy
