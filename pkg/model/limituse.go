package model

import "time"

// LimitUse is the requests of one client that a replica has admitted, for a store in which replicas add them up.
type LimitUse struct {
	// Bucket identifies the client and the object whose limit applies.
	Bucket [16]byte
	// Added is how much later the buckets per second and per minute will be empty because of the requests.
	Added [2]time.Duration
	// Excess is the time until the buckets will be empty, with the requests of all replicas.
	Excess [2]time.Duration
}
