// Package routing compiles a model.Model into an immutable Table, finds the Route of a request in it, and holds the pointer
// to the current Table of the data plane.
//
// It selects the Route by host, path and conditions, and the backend by weight, header field or cookie. Other packages
// decide whether a session keeps its side of a split (exchange), choose the endpoint (affinity), and hold the endpoints of a
// Pool (upstream).
package routing
