// Package upstream holds what is live about the pods: the pools and their endpoints, idle connections, requests in
// flight, and which sessions an endpoint has served lately. All of it outlives every routing table.
//
// It decides how connections are reused and when they are closed. It does not decide which endpoint a request goes to
// (pkg/affinity), nor what is sent over a connection (pkg/exchange).
//
// A Registry has Pools, a Pool has the Set of this moment, a Set has Endpoints, and an Endpoint has its connections: idle.go
// those of HTTP/1.1, http2.go those of HTTP/2.
package upstream
