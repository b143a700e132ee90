// Package routing compiles a model.Model into an immutable Table, finds the Route of a request in it, and holds the
// one pointer by which the data plane sees the current Table.
//
// It decides which Route a host and a path lead to, and which weighted backend of it. It leaves the choice of the
// endpoint to pkg/affinity and what a Pool holds to pkg/upstream.
package routing
