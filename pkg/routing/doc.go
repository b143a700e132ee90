// Package routing compiles a model.Model into an immutable Table, finds the Route of a request in it, and holds the
// one pointer by which the data plane sees the current Table.
//
// It decides which Route a host and a path lead to, and which backend of it: by weight, or by what the request itself asks
// for. It leaves to others whether a session keeps its side (exchange), the choice of the endpoint (affinity), and what a Pool
// holds (upstream).
package routing
