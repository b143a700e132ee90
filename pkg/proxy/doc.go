// Package proxy is the data plane: listeners, the connections of clients, and what happens to a request on its way to
// a pod and back.
//
// One goroutine serves one client connection: it reads a request, pins the current routing.Table, finds the route,
// binds the request to an endpoint, writes to the pod, reads its answer and writes it to the client. The type exchange
// carries a request through these steps, and knows nothing of the protocol that the client speaks: that is behind the
// interface downstream.
//
// It decides when an attempt may be repeated, what is forwarded, what is answered when no pod does, and whether the TLS
// connection of a request is one that its route may be reached over.
//
// It leaves which route to pkg/routing, which endpoint to pkg/affinity, how connections to pods are kept to pkg/upstream,
// the wire to pkg/http1 and pkg/http2, and which certificate is presented to pkg/certs.
package proxy
