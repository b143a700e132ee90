package model

import "time"

// Ejection takes an endpoint out of its pool after consecutive failures. Failed connection attempts always count.
type Ejection struct {
	// Failures is the number of consecutive failures. Zero disables ejection.
	Failures int32 `json:"failures"`
	// OnReset counts connections that end before a response. OnTimeout counts response timeouts. Statuses are the statuses of
	// responses that count as failures.
	OnReset   bool      `json:"onReset,omitempty"`
	OnTimeout bool      `json:"onTimeout,omitempty"`
	Statuses  StatusSet `json:"statuses,omitempty"`
	// Backoff is the time until the first probe. It doubles with each ejection in a row, up to MaxBackoff.
	Backoff    time.Duration `json:"backoff"`
	MaxBackoff time.Duration `json:"maxBackoff"`
	// MaxPercent is the maximum share of the ready endpoints of a pool that are ejected. At least one is never ejected.
	MaxPercent int32 `json:"maxPercent"`
}

// RequestLimits bound the active requests of a pool. Each replica counts its own, of all routes to the pool.
type RequestLimits struct {
	// PerPool is the maximum of all endpoints together, and PerEndpoint that of each one. Zero sets no maximum.
	PerPool     int32 `json:"perPool,omitempty"`
	PerEndpoint int32 `json:"perEndpoint,omitempty"`
}

// DefaultEjection applies to backends without settings. Only failed connection attempts count, because clients cannot cause
// them. Callers must not modify it.
var DefaultEjection = Ejection{Failures: 5, Backoff: 10 * time.Second, MaxBackoff: 5 * time.Minute, MaxPercent: 50}
