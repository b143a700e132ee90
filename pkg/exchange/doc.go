// Package exchange carries one request from match to response, whatever protocol its client speaks.
//
// It decides when an attempt may be repeated, what is forwarded, which response is sent when no pod sends one, and whether
// the TLS connection of a request is one that its route may be reached over.
//
// It leaves client connections and their protocols to pkg/proxy, which route to pkg/routing, which endpoint to pkg/affinity,
// upstream connections to pkg/upstream, and the wire to pkg/http1 and pkg/http2.
package exchange
