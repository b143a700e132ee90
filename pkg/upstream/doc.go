// Package upstream contains the live state of the pods: pools and their endpoints, idle connections, active requests,
// and the sessions that an endpoint served recently. This state outlives every routing table.
//
// It decides when connections are reused and closed. It does not choose the endpoint of a request (pkg/affinity) and
// does not send requests (pkg/exchange).
//
// A Registry has Pools. A Pool has a current Set. A Set has Endpoints, which have connections: see idle.go for
// HTTP/1.1 and http2.go for HTTP/2.
package upstream
