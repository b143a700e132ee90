package exchange

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// reason returns why the attempt failed, for the access log and metrics.
func (f failure) reason() observe.Failure {
	switch f.kind {
	case dialFailed:
		return dialFailure(f.err)
	case streamRefused:
		return observe.FailureRefusedStream
	case staleConn, connLost:
		if errors.Is(f.err, io.EOF) {
			return observe.FailureClosed
		}
		return observe.FailureReset
	case responseTimeout:
		return observe.FailureResponseTimeout
	case invalidResponse:
		if errors.Is(f.err, io.EOF) || errors.Is(f.err, syscall.ECONNRESET) {
			return observe.FailureIncomplete
		}
		return observe.FailureInvalidResponse
	case requestBodyFailed:
		return bodyFailure(f.err)
	}
	return observe.FailureNone
}

// bodyFailure returns the reason for an error of reading the body of a request.
func bodyFailure(err error) observe.Failure {
	var invalid *http1.Error
	switch {
	case errors.Is(err, ErrBusy):
		return observe.FailureOverload
	case errors.Is(err, errPumpPanicked):
		return observe.FailurePanic
	case errors.As(err, &invalid), errors.Is(err, os.ErrDeadlineExceeded):
		return observe.FailureRequestBody
	}
	return observe.FailureClientClosed
}

func dialFailure(err error) observe.Failure {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return observe.FailureDialRefused
	case errors.As(err, &timeout) && timeout.Timeout():
		return observe.FailureDialTimeout
	}
	return observe.FailureDial
}

// recordFailure records why an attempt failed. A later successful attempt clears it from the access log.
func (x *Exchange) recordFailure(f failure) {
	x.failure, x.failureErr = f.reason(), f.err
	x.Engine.Metrics.Pool(x.backend.Pool.Slot).Failure(x.failure)
}

// clearFailure forgets the failures of earlier attempts.
func (x *Exchange) clearFailure() { x.failure, x.failureErr = observe.FailureNone, nil }

// recordIncomplete records that the response was not complete: the client or the pod has ended it.
func (x *Exchange) recordIncomplete(clientFailed bool) {
	if clientFailed || x.downstream.IsClientGone() {
		x.recordClientGone()
		return
	}
	x.failure = observe.FailureIncomplete
	x.Engine.Metrics.Pool(x.backend.Pool.Slot).Failure(x.failure)
}

// recordClientGone records why the stream or connection of the client has ended before the response was complete.
func (x *Exchange) recordClientGone() {
	x.failure = x.downstream.EndReason()
	if x.failure == observe.FailureInvalidRequest {
		x.Engine.Metrics.Malformed.Inc()
	}
}

// recordFiltered records why a request filter responded with resp, which may be nil.
func (x *Exchange) recordFiltered(resp *filter.Response) {
	if resp != nil && resp.Status == http.StatusRequestEntityTooLarge {
		x.failure = observe.FailureRequestBody
	}
}

// recordNoAttempt records why local is sent instead of a pod's response.
func (x *Exchange) recordNoAttempt(local *filter.Response) {
	switch local {
	case noTable:
		x.failure = observe.FailureTableNotReady
	case noBackend:
		x.failure = observe.FailureNoBackend
	case noPod:
		x.failure = observe.FailureNoEndpoints
		if x.set.Len() > 0 {
			x.failure = observe.FailureAllDraining
		}
		x.Engine.Metrics.Pool(x.backend.Pool.Slot).Failure(x.failure)
	}
}

// failureOfHead returns the reason for rejecting a request whose head could not be read.
func failureOfHead(err error) observe.Failure {
	var invalid *http1.Error
	switch {
	case errors.Is(err, ErrBusy):
		return observe.FailureOverload
	case errors.As(err, &invalid), errors.Is(err, os.ErrDeadlineExceeded):
		return observe.FailureInvalidRequest
	}
	return observe.FailureClientClosed
}

// failureDetail returns the rule that a pod's response violates. It is empty for other failures.
func (x *Exchange) failureDetail() string {
	if x.failure != observe.FailureInvalidResponse || x.failureErr == nil {
		return ""
	}
	var rule *http1.Error
	if errors.As(x.failureErr, &rule) {
		return rule.Reason
	}
	const maxDetail = 200
	text := x.failureErr.Error()
	return text[:min(len(text), maxDetail)]
}
