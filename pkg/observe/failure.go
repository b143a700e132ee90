package observe

// Failure is the reason why a request, or one attempt at a pod, failed.
type Failure uint8

// The reasons for failures. FailureNone means that there was no failure. The reasons from FailureDialRefused to
// FailurePoolFull are counted by pool.
const (
	FailureNone Failure = iota
	// FailureDialRefused: the pod refused the connection.
	FailureDialRefused
	// FailureDialTimeout: the connection was not established in time.
	FailureDialTimeout
	// FailureDial: no connection could be established for another reason.
	FailureDial
	// FailureReset: the pod reset the connection or stream before its response.
	FailureReset
	// FailureClosed: the pod closed the connection before its response.
	FailureClosed
	// FailureRefusedStream: the pod refused the HTTP/2 stream.
	FailureRefusedStream
	// FailureResponseTimeout: the pod did not respond in time.
	FailureResponseTimeout
	// FailureInvalidResponse: the response of the pod violates HTTP or a limit.
	FailureInvalidResponse
	// FailureIncomplete: the response of the pod ended before it was complete.
	FailureIncomplete
	// FailureNoEndpoints: the pool has no endpoints.
	FailureNoEndpoints
	// FailureAllDraining: every endpoint of the pool is draining.
	FailureAllDraining
	// FailurePodFull: the pod has the maximum number of active requests.
	FailurePodFull
	// FailurePoolFull: the pods of the pool together have the maximum number of active requests.
	FailurePoolFull
	// FailureNoBackend: the Service of the route does not exist.
	FailureNoBackend
	// FailureTableNotReady: Limpet has not read its configuration yet.
	FailureTableNotReady
	// FailureOverload: a limit on connections or memory was reached.
	FailureOverload
	// FailureRequestBody: the body of the request was invalid, too long or too slow.
	FailureRequestBody
	// FailureInvalidRequest: the head of the request violates HTTP or a limit.
	FailureInvalidRequest
	// FailureClientClosed: the client disconnected, or did not read the response in time.
	FailureClientClosed
	// FailurePanic: a defect in Limpet.
	FailurePanic

	failures
)

var failureNames = [failures]string{
	"", "dial_refused", "dial_timeout", "dial_failed", "reset", "closed", "refused_stream", "response_timeout",
	"invalid_response", "incomplete_response", "no_endpoints", "all_draining", "pod_full", "pool_full", "no_backend",
	"table_not_ready", "overload", "request_body", "invalid_request", "client_closed", "panic",
}

// String returns the reason as it appears in the access log and in metrics. It is empty for FailureNone.
func (f Failure) String() string { return failureNames[f] }

// isUpstream reports whether f is counted in limpet_upstream_failures_total.
func (f Failure) isUpstream() bool { return f > FailureNone && f <= FailurePoolFull }
