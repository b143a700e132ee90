package model

import "net/netip"

// RateLimit limits the requests of each client address. Each replica counts for itself.
type RateLimit struct {
	// Source is the object that sets the limit. All its routes share the counters.
	Source Ref `json:"source"`
	// PerSecond and PerMinute are the allowed rates. Zero disables the limit. Both may be set.
	PerSecond int `json:"perSecond,omitempty"`
	PerMinute int `json:"perMinute,omitempty"`
	// Burst multiplies each rate: so many requests may exceed it before a request is refused.
	Burst int `json:"burst,omitempty"`
	// Connections is the maximum number of requests in progress. Zero disables the limit.
	Connections int `json:"connections,omitempty"`
	// IsShared counts the requests of all replicas towards PerSecond and PerMinute, if there is a shared store. Connections are
	// counted by each replica.
	IsShared bool `json:"isShared,omitempty"`
	// Exempt are the networks without limits.
	Exempt []netip.Prefix `json:"exempt,omitempty"`
	// IPv6PrefixLength is the length of the part of an IPv6 address that identifies a client.
	IPv6PrefixLength int `json:"ipv6PrefixLength"`
	// Status is the status of a response to a request above the rates, ConnectionStatus of one above Connections.
	Status           int `json:"status"`
	ConnectionStatus int `json:"connectionStatus"`
}

// ResponseRate limits the bandwidth of each response.
type ResponseRate struct {
	BytesPerSecond int64 `json:"bytesPerSecond"`
	// After is the number of bytes that are sent without the limit.
	After int64 `json:"after,omitempty"`
}
