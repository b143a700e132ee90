package model

import "time"

// LimitUse is the requests of one client that a replica has admitted, for a store in which replicas add them up.
type LimitUse struct {
	// Bucket identifies the client and the object whose limit applies.
	Bucket [16]byte
	// Added is the time by which the requests delay the moment when the buckets per second and per minute are empty.
	Added [2]time.Duration
	// Excess is the time until the buckets will be empty, with the requests of all replicas.
	Excess [2]time.Duration
}
