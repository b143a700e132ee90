package model

import "net/netip"

// Access restricts which requests a route serves. The checks are combined with those of other filters that authenticate
// clients.
type Access struct {
	// Addresses restricts the addresses of clients. Nil admits all of them.
	Addresses *AddressList `json:"addresses,omitempty"`
	// Passwords requires credentials. Nil requires none.
	Passwords *Passwords `json:"passwords,omitempty"`
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

// Passwords requires a user name and a password of a list of users.
type Passwords struct {
	// Secret contains the list.
	Secret Ref `json:"secret"`
	// Realm is shown to users.
	Realm string `json:"realm,omitempty"`
	// Digest uses the digest scheme (RFC 7616). If it is false, the basic scheme is used (RFC 7617).
	Digest bool `json:"digest,omitempty"`
	// File is the list in the format of htpasswd or, for the digest scheme, of htdigest. It must not be modified or printed.
	File []byte `json:"-"`
}
