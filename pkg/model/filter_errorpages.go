package model

// ErrorPages replaces responses of a route that have one of several statuses by responses of another Service. A header field
// contains the status.
type ErrorPages struct {
	// Statuses are sorted. Each is from 300 to 599.
	Statuses []int `json:"statuses"`
	// Service is the port of the Service that provides the pages.
	Service PoolID `json:"service"`
	// KeepsPods keeps the responses of pods. Only those that Limpet sends instead of a pod are then replaced.
	KeepsPods bool `json:"keepsPods,omitempty"`
}
