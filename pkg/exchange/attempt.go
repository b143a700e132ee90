package exchange

import (
	"io"
	"time"
)

// attemptState counts the attempts of one request.
type attemptState struct {
	count    int
	isReplay bool // the request was sent a second time, and holds a replay permit of the pool
	// isAtSamePod is true if the replay is sent to the pod that has lost the first attempt.
	isAtSamePod bool
	isUnsent    bool // the last attempt failed before a byte was sent, because of the client
	// startedAt is when the last attempt started. It is only set for policies that measure the latency of endpoints.
	startedAt time.Time
}

// failure is the reason why an attempt failed. Its kind decides whether there is another attempt.
type failure struct {
	kind failureKind
	err  error
}

// failureKind classifies failed attempts by what the pod may have done with the request.
type failureKind uint8

const (
	// noFailure means that the pod responded. The response was delivered or has at least started.
	noFailure failureKind = iota
	// dialFailed means that no connection could be made, so no pod has received the request.
	dialFailed
	// staleConn means that a reused idle connection had been closed before any byte of the request reached the pod.
	staleConn
	// streamRefused means that the pod did not process the request (RFC 9113 section 8.7).
	streamRefused
	// connLost means that the connection ended before the first byte of a response. The pod may have acted on the request.
	connLost
	// responseTimeout means that the pod did not respond in time.
	responseTimeout
	// invalidResponse means that the response is not valid HTTP.
	invalidResponse
	// requestBodyFailed means that the client's body was malformed, too slow or incomplete.
	requestBodyFailed
	// statusRefused means that prepareStatusRetry has prepared another attempt, because of the status of the response.
	statusRefused
)

// nextAction is the step that follows a failed attempt.
type nextAction uint8

const (
	giveUp nextAction = iota
	retrySameEndpoint
	retryOtherEndpoint
	// replaySameEndpoint repeats the request at the endpoint that may have acted on it already.
	replaySameEndpoint
	// leaveGoneEndpoint sends the replay elsewhere if the endpoint accepts no connections anymore.
	leaveGoneEndpoint
)

// decideNext returns what to do after a failed attempt.
//
// If no pod has processed the request, it is safe to retry, regardless of its method. Otherwise the request is repeated once,
// at the same endpoint, if it is replayable: its method is safe (RFC 9110 section 9.2.1) and it has no body. It is not sent to
// a third pod, because a request that crashes pods must not reach all of them (docs/adr/0011). maxAttempts limits all attempts
// together.
func decideNext(kind failureKind, replayable bool, a *attemptState, maxAttempts int) nextAction {
	if a.count >= maxAttempts {
		return giveUp
	}
	switch kind {
	case dialFailed:
		return retryOtherEndpoint
	case streamRefused:
		return retrySameEndpoint
	case connLost:
		switch {
		case replayable && !a.isReplay:
			return replaySameEndpoint
		case replayable && a.isAtSamePod:
			return leaveGoneEndpoint
		}
	}
	return giveUp
}

// attempt sends the request to the chosen endpoint, and retries as decideNext allows. It returns when a pod has responded or
// a failure was reported to the client.
func (x *Exchange) attempt() {
	for {
		previous := x.endpoint
		x.endpoint = x.set.Endpoint(x.decision.Endpoint)
		x.attempts.count++
		f := x.tryEndpoint()
		if f.kind == noFailure {
			return
		}
		if f.kind == statusRefused {
			x.Engine.Metrics.Pool(x.backend.Pool.Slot).Retry()
			continue
		}
		if x.attempts.isUnsent {
			x.endpoint = previous
			x.attempts.count--
		}
		x.recordFailure(f)
		if !x.prepareRetry(f) {
			x.body.stop()
			x.respondFailure(f)
			return
		}
		x.Engine.Metrics.Pool(x.backend.Pool.Slot).Retry()
	}
}

// endReplay returns the replay permit that prepareRetry took from the pool.
func (x *Exchange) endReplay() {
	if x.attempts.isReplay {
		x.backend.Pool.EndReplay()
	}
}

// prepareRetry prepares the next attempt. It returns false if there is no next attempt.
func (x *Exchange) prepareRetry(f failure) bool {
	if limit := x.view.Limits.RetryTimeout; limit > 0 && time.Since(x.start) >= limit {
		return false
	}
	switch decideNext(f.kind, x.replayable(), &x.attempts, x.view.Limits.Attempts) {
	case retrySameEndpoint:
		return x.body.keepForRetry()
	case replaySameEndpoint:
		x.attempts.isReplay = x.backend.Pool.BeginReplay()
		x.attempts.isAtSamePod = x.attempts.isReplay
		return x.attempts.isReplay
	case leaveGoneEndpoint:
		return x.isGone() && x.nextEndpoint()
	case retryOtherEndpoint:
		return x.body.keepForRetry() && x.nextEndpoint()
	}
	return false
}

// isGone reports whether the endpoint accepts no connections. A pod that stops closes its listener, and the system then resets
// the connections that it had not accepted yet. So a pod can lose an idle connection and the one that replaced it.
func (x *Exchange) isGone() bool {
	conn, err := x.endpoint.Dial(x.dialer(), x.backend.Transport, x.head.preamble())
	if err != nil {
		return true
	}
	conn.Close()
	return false
}

// tryEndpoint makes one attempt, from the connection to the end of the response.
func (x *Exchange) tryEndpoint() failure {
	x.startAttempt()
	defer x.endpoint.EndRequest()
	defer endUse(x.endpoint, x.beginUse())
	if x.backend.Policy.MeasuresLatency() {
		x.attempts.startedAt = time.Now()
	}
	started := x.spans.beginAttempt()
	f := x.tryProtocol()
	x.endAttempt(started, f)
	if f.kind == responseTimeout {
		x.measureLatency()
	}
	x.observeFailure(f)
	return f
}

func (x *Exchange) tryProtocol() failure {
	if x.backend.Transport.HTTP2 {
		return x.tryHTTP2()
	}
	return x.tryHTTP1()
}

// measureLatency records how long the endpoint took to connect and respond, or has not responded, for a policy that needs it.
func (x *Exchange) measureLatency() {
	if started := x.attempts.startedAt; !started.IsZero() {
		x.endpoint.RecordLatency(time.Since(started))
	}
}

// abortAttempt closes the upstream connection or stream of an attempt, and stops the body pump.
func (x *Exchange) abortAttempt(conn io.Closer) {
	conn.Close()
	x.upstream = nil
	x.body.stop()
}

// responseDeadline returns the time on the engine's clock by which the pod must send more of its response. While the client
// still sends its body, the pod may be waiting for that, so the body timeout is added.
func (x *Exchange) responseDeadline() int64 {
	timeout := x.view.Limits.ResponseTimeout
	if !x.body.isRead() {
		timeout += x.view.Limits.BodyTimeout
	}
	return x.Engine.After(timeout)
}
