package model

import "time"

// Limits are the limits of one Route. They override the limits of the flags. A zero field keeps the limit of the flag.
type Limits struct {
	// ResponseTimeout is the maximum time to wait for the head of a pod's response, and between two reads of its body.
	ResponseTimeout time.Duration `json:"responseTimeout,omitempty"`
	// ConnectTimeout is the maximum time to connect to a pod.
	ConnectTimeout time.Duration `json:"connectTimeout,omitempty"`
	// BodyTimeout is the maximum time between two reads of a request body, and between two writes to a client that
	// does not read.
	BodyTimeout time.Duration `json:"bodyTimeout,omitempty"`
	// MaxBodyBytes is the maximum size of a request body. NoBound sets no maximum.
	MaxBodyBytes int64 `json:"maxBodyBytes,omitempty"`
	// MaxAttempts is the maximum number of attempts for a request, including the first.
	MaxAttempts int `json:"maxAttempts,omitempty"`
	// RetryTimeout is the time since the start of a request after which there is no further attempt. Zero sets no limit.
	RetryTimeout time.Duration `json:"retryTimeout,omitempty"`
}

// NoBound disables a limit.
const NoBound = -1
