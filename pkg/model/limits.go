package model

import "time"

// Limits are what holds for the requests of one Route instead of what the flags say. A field that is 0 leaves it at that.
type Limits struct {
	// ResponseTimeout is the longest gap between two reads of a pod's answer, and the wait for its head.
	ResponseTimeout time.Duration `json:"responseTimeout,omitempty"`
	// ConnectTimeout is how long connecting to a pod may take.
	ConnectTimeout time.Duration `json:"connectTimeout,omitempty"`
	// BodyTimeout is the longest gap between two reads of a request's body, or two writes to a client that does not read.
	BodyTimeout time.Duration `json:"bodyTimeout,omitempty"`
	// MaxBodyBytes is the longest body of a request, NoBound for any.
	MaxBodyBytes int64 `json:"maxBodyBytes,omitempty"`
	// MaxAttempts is how often a request is tried in all.
	MaxAttempts int `json:"maxAttempts,omitempty"`
}

// NoBound is a limit that is none.
const NoBound = -1
