package model

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

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
	// RetryStatuses are the statuses of responses after which a request without a body is sent again.
	RetryStatuses StatusSet `json:"retryStatuses,omitempty"`
	// RetriesUnsafe also sends POST, LOCK and PATCH requests again.
	RetriesUnsafe bool `json:"retriesUnsafe,omitempty"`
}

// StatusSet is a set of statuses among those that may be retried.
type StatusSet uint8

// retryableStatuses are the statuses that a StatusSet can contain, by bit.
var retryableStatuses = [...]int{403, 404, 429, 500, 502, 503, 504}

// Has reports whether s contains a status.
func (s StatusSet) Has(status int) bool {
	for i, known := range retryableStatuses {
		if known == status {
			return s&(1<<i) != 0
		}
	}
	return false
}

// With returns s with a status. ok is false if no StatusSet can contain it.
func (s StatusSet) With(status int) (set StatusSet, ok bool) {
	i := slices.Index(retryableStatuses[:], status)
	if i < 0 {
		return s, false
	}
	return s | 1<<i, true
}

// MarshalText returns the statuses, separated by spaces.
func (s StatusSet) MarshalText() ([]byte, error) {
	var out []string
	for _, status := range retryableStatuses {
		if s.Has(status) {
			out = append(out, strconv.Itoa(status))
		}
	}
	return []byte(strings.Join(out, " ")), nil
}

// NoBound disables a limit.
const NoBound = -1
