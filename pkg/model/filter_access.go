package model

import "net/netip"

// Access restricts which requests a route serves. The checks are combined with those of other filters that authenticate
// clients.
type Access struct {
	// Addresses restricts the addresses of clients. Nil admits all of them.
	Addresses *AddressList `json:"addresses,omitempty"`
	// SatisfiesAny serves a request that passes one of the checks. If it is false, a request must pass all of them.
	SatisfiesAny bool `json:"satisfiesAny,omitempty"`
}

// AddressList lists networks of clients. The networks of each list are sorted, masked, and do not overlap. A single address is
// a network of one address. IPv4 networks are not mapped to IPv6.
type AddressList struct {
	// Deny lists the networks that are refused. It takes precedence.
	Deny []netip.Prefix `json:"deny,omitempty"`
	// Allow lists the networks that are admitted. If it is empty, all networks are, except for those in Deny.
	Allow []netip.Prefix `json:"allow,omitempty"`
}
