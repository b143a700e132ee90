package model

import "time"

// UnavailableAction is the handling of a session whose endpoint is gone.
type UnavailableAction string

// The actions.
const (
	UnavailableRepick UnavailableAction = "Repick"
	UnavailableFail   UnavailableAction = "Fail"
	UnavailableWait   UnavailableAction = "Wait"
)

// NotReadyAction is the handling of a session whose endpoint is not ready and not terminating.
type NotReadyAction string

// The actions. The zero value handles the endpoint like one that is gone.
const (
	NotReadyLend NotReadyAction = "Lend" // another endpoint serves the request, and the session stays
	NotReadyWait NotReadyAction = "Wait" // the request waits for the endpoint
)

// Unavailable contains the action and, for UnavailableFail, the response.
type Unavailable struct {
	Action     UnavailableAction `json:"action"`
	Status     int               `json:"status,omitempty"`
	RetryAfter time.Duration     `json:"retryAfter,omitempty"`
	// Wait is the maximum time to wait for the endpoint, for UnavailableWait and NotReadyWait.
	Wait     time.Duration  `json:"wait,omitempty"`
	NotReady NotReadyAction `json:"notReady,omitempty"`
}
