package affinity

import (
	"net/netip"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Request is the part of a request that methods read. Callers must not modify or retain the returned slices.
type Request interface {
	// Header returns the value of the first field with that name, in canonical form.
	Header(name string) (value []byte, ok bool)
	// CookieHeader returns the value of the i-th Cookie field, or nil after the last one. HTTP/2 may split cookies
	// into several fields (RFC 9113, section 8.2.3).
	CookieHeader(i int) []byte
	// Method returns the request method.
	Method() []byte
	// Host returns the host in lower case, without port.
	Host() []byte
	// ClientCertificate returns bytes that identify the verified certificate of the client, or nil without a certificate.
	// They are the same after the certificate is renewed.
	ClientCertificate() []byte
	// Path returns the normalized path. It begins with "/", except for the asterisk form.
	Path() []byte
	// Query returns the query without the "?".
	Query() []byte
	// ClientIP returns the client address, taken from trusted proxies if there are any. It may be invalid.
	ClientIP() netip.Addr
}

// Set is a snapshot of the endpoints of one pool. Its members and their order never change, but their load does. All
// methods must be safe for concurrent use.
type Set interface {
	// Len returns the number of endpoints. All replicas have them in the same order.
	Len() int
	// Ready returns the number of endpoints that accept new sessions. They come first; the others are draining.
	Ready() int
	// AllDraining reports whether all endpoints are draining. They then count as ready, because there are no others.
	AllDraining() bool
	// IdentityHashes returns the hash of each endpoint's identity, indexed by endpoint. Callers must not modify it.
	IdentityHashes(model.Identity) []uint64
	// Key returns the identity of endpoint i in the form that tokens contain.
	Key(id model.Identity, i int) model.EndpointKey
	// Lookup is the inverse of Key.
	Lookup(model.Identity, model.EndpointKey) (i int, ok bool)
	// WasRemoved reports whether this replica recently saw an endpoint with that key leave the pool. The endpoint may
	// have rejoined, so callers must check Lookup first.
	WasRemoved(model.Identity, model.EndpointKey) bool
	// IsNotReady reports whether an endpoint with that key exists that receives no requests because it is not ready. It
	// is not terminating, and Lookup does not find it.
	IsNotReady(model.Identity, model.EndpointKey) bool
	// ActiveRequests returns the number of active requests of endpoint i. It is math.MaxInt64 if the endpoint refuses
	// connections.
	ActiveRequests(i int) int64
	// Latency returns how long endpoint i takes to respond, in nanoseconds. It is zero if that is unknown. now is in Unix
	// nanoseconds.
	Latency(i int, now int64) float64
	// Sessions estimates the number of recent sessions of endpoint i. It is math.MaxInt64 if the endpoint refuses
	// connections.
	Sessions(i int) int64
	// AnonymousRequests returns the number of recent requests of endpoint i from clients without a session.
	AnonymousRequests(i int) int64
	// StateSince returns when endpoint i entered its current state, ready or draining, in Unix seconds. It is zero if
	// the endpoint was ready when the pool was created.
	StateSince(i int) int64
	// InLocalZone reports whether endpoint i serves clients in Limpet's own zone.
	InLocalZone(i int) bool
	// HasServed reports whether endpoint i served the session recently. It may return false positives.
	HasServed(i int, session uint64) bool
	// Address returns the dial address of endpoint i, such as "10.0.0.7:8080".
	Address(i int) string
	// AllowMove reports whether another session may move for rebalancing in this minute, and counts the move. now is
	// in Unix seconds. If perMinute is zero, there is no limit.
	AllowMove(perMinute, now int64) bool
	// HandOff returns the endpoint that serves a request of a session on a draining endpoint, and whether the session moves
	// there with this request. All requests of a session that has moved get the same endpoint.
	HandOff(*model.SessionMove) (to int, isFirst bool)
	// CancelHandoff reverts HandOff for a session on the draining endpoint from.
	CancelHandoff(from int, session uint64)
	// NextTurn returns a counter that increases by one with each call, for round robin.
	NextTurn() uint64
	// LowLoad returns memory for endpoints with a low load for the pick. It is zero at first, and all picks from the set share
	// it. It is empty for a small set.
	LowLoad(model.Pick) []atomic.Int32
}
