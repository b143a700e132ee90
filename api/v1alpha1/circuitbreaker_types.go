package v1alpha1

// CircuitBreaker limits the requests and streams that are in progress. Each replica of Limpet counts its own, of all routes to
// the Service port. A request above a limit gets a response with status 503 and Retry-After.
type CircuitBreaker struct {
	// MaxRequests is the maximum number of concurrent requests to all pods of a Service port. 0 means no limit.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	MaxRequests int32 `json:"maxRequests,omitempty"`
	// MaxRequestsPerEndpoint is the maximum number of concurrent requests to a pod. New sessions and requests
	// without a session avoid a pod at its limit. A session stays on its pod: its requests above the limit fail. 0
	// means no limit.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	MaxRequestsPerEndpoint int32 `json:"maxRequestsPerEndpoint,omitempty"`
}
