package affinity

import (
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Request is what methods may look at. The slices are read only, and not kept.
type Request interface {
	// Header gives the value of the first field with that name, in canonical form.
	Header(name string) (value []byte, ok bool)
	// CookieHeader gives the value of the i-th Cookie field, nil past the last: HTTP/2 may split them (RFC 9113, 8.2.3).
	CookieHeader(i int) []byte
	// Method is the method of the request.
	Method() []byte
	// Path is the normalised path: it begins with "/", unless the request is for the whole server.
	Path() []byte
	// Query is what follows the "?".
	Query() []byte
	// ClientIP is the client's address, as far as the proxies in front of Limpet are trusted. It may be invalid.
	ClientIP() netip.Addr
}

// Set is the endpoints of one pool at one moment: who they are never changes, how busy they are does. Its methods are
// called from many goroutines at once.
type Set interface {
	// Len is the number of endpoints, in an order that all replicas agree on.
	Len() int
	// Ready is the number of those, from the first on, that take new sessions. The rest are draining.
	Ready() int
	// Ending reports whether all endpoints are draining, and count as ready for want of others.
	AllDraining() bool
	// Seeds gives a hash of each endpoint's identity, parallel to the endpoints. It is read only.
	IdentityHashes(model.Identity) []uint64
	// Key is what a token names endpoint i by.
	Key(id model.Identity, i int) model.EndpointKey
	// Lookup is the inverse of Key.
	Lookup(model.Identity, model.EndpointKey) (i int, ok bool)
	// Left reports whether an endpoint of that key was here and has left, as far as this replica has seen lately.
	HasDeparted(model.Identity, model.EndpointKey) bool
	// Requests is how many requests endpoint i is working on.
	ActiveRequests(i int) int64
	// Sessions estimates how many sessions live on endpoint i.
	Sessions(i int) int64
	// Guests is how many requests endpoint i has been given lately of clients that have no session.
	AnonymousRequests(i int) int64
	// Since is when endpoint i became ready or began to drain, as it is now, in Unix seconds; 0 if a ready one was so
	// from the beginning.
	StateSince(i int) int64
	// Near reports whether endpoint i is meant for clients in Limpet's own zone.
	InLocalZone(i int) bool
	// Knows reports whether endpoint i has served that session lately, approximately.
	HasServed(i int, session uint64) bool
	// Address is what endpoint i is dialled by: "10.0.0.7:8080".
	Address(i int) string
	// MayMove counts a session that is about to move of its own accord, unless so many have in this minute. 0: no bound.
	AllowMove(perMinute, now int64) bool
	// Turn counts up by one with each call, for picks that take turns.
	NextTurn() uint64
}
