package exchange

import (
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// fullResponses are the responses to requests that would exceed a limit of their backend.
var fullResponses = map[observe.Failure]*filter.Response{
	observe.FailurePodFull:  full("The pod has reached its limit of concurrent requests."),
	observe.FailurePoolFull: full("The pods have reached their limit of concurrent requests."),
}

// full returns a 503 response. A request ends sooner than a pod starts, so Retry-After is shorter than without a pod.
func full(text string) *filter.Response {
	r := filter.NewText(503, text).With(retryAfterName, []byte("1"))
	r.GRPCStatus = grpcResourceExhausted
	return r
}

// exceededLimit returns which limit of the backend is exceeded after e has counted a request, or FailureNone.
func exceededLimit(b *routing.Backend, set *upstream.Set, e *upstream.Endpoint) observe.Failure {
	switch limits := b.RequestLimits; {
	case limits == nil:
		return observe.FailureNone
	case limits.PerPool > 0 && set.InFlight() > int64(limits.PerPool):
		return observe.FailurePoolFull
	case limits.PerEndpoint > 0 && e.InFlight() > int64(limits.PerEndpoint):
		return observe.FailurePodFull
	}
	return observe.FailureNone
}

// reserveWithinLimits counts the request at its endpoint if that exceeds no limit of the backend. If the endpoint has reached its
// limit, a request without a session, and a new session, choose another one. Otherwise it returns the response.
//
// The request is counted first and the limit checked then, so that concurrent requests cannot exceed it.
func (x *Exchange) reserveWithinLimits() *filter.Response {
	if x.backend.RequestLimits == nil {
		return nil
	}
	reason := observe.FailureNone
	for range maxReservations {
		e := x.set.Endpoint(x.decision.Endpoint)
		if x.reserved != e {
			x.reserved = e
			e.BeginRequest()
		}
		if reason = exceededLimit(x.backend, x.set, e); reason == observe.FailureNone {
			return nil
		}
		x.reserved = nil
		e.EndRequest()
		if reason == observe.FailurePoolFull || !x.leaveFullEndpoint() {
			break
		}
	}
	x.failure = reason
	x.Engine.Metrics.Pool(x.backend.Pool.Slot).Failure(reason)
	return fullResponses[reason]
}

// leaveFullEndpoint chooses another endpoint, if the request is not bound to its own one.
func (x *Exchange) leaveFullEndpoint() bool {
	if x.isAtOwned() {
		return false
	}
	return x.backend.Policy.LeaveFull(&x.decision, x.identity(), x.set, int64(x.backend.RequestLimits.PerEndpoint))
}

// reserveOther counts the request at the endpoint of its next attempt, while it is still counted at the endpoint of the last one.
// It returns false if the next one has reached its limit.
func (x *Exchange) reserveOther() bool {
	limits := x.backend.RequestLimits
	if limits == nil || limits.PerEndpoint == 0 {
		return true
	}
	e := x.set.Endpoint(x.decision.Endpoint)
	e.BeginRequest()
	if e.InFlight() > int64(limits.PerEndpoint) {
		e.EndRequest()
		return false
	}
	x.reserved = e
	return true
}
