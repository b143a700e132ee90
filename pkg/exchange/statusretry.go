package exchange

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// prepareStatusRetry prepares another attempt if the route retries the status of the response, of which the client has received
// nothing. It returns false if the response is the final one.
//
// A client without a session is sent to another pod. A session stays on its pod, because that serves (docs/adr/0083).
func (x *Exchange) prepareStatusRetry() bool {
	limits := &x.view.Limits
	if limits.RetryStatuses == 0 || !limits.RetryStatuses.Has(x.resp.Status) || !x.mayRepeat() {
		return false
	}
	if x.attempts.count >= limits.Attempts || limits.RetryTimeout > 0 && time.Since(x.start) >= limits.RetryTimeout {
		return false
	}
	if !x.attempts.isReplay && !x.backend.Pool.BeginReplay() {
		return false
	}
	x.attempts.isReplay = true
	return x.hasSession() || x.leaveEndpoint()
}

// mayRepeat reports whether the request may be sent again although a pod has responded. It must have no body, because bodies are
// not kept. As in nginx, its method must be idempotent, unless the route retries all methods.
func (x *Exchange) mayRepeat() bool {
	if x.req.Body != http1.BodyNone {
		return false
	}
	switch string(x.req.Method) {
	case "POST", "LOCK", "PATCH":
		return x.view.Limits.RetriesUnsafe
	}
	return true
}

// hasSession reports whether the client has a session that was sent to its pod, or has just moved there.
func (x *Exchange) hasSession() bool {
	switch x.decision.Outcome {
	case affinity.OutcomeHit, affinity.OutcomeMoved, affinity.OutcomeLent:
		return true
	}
	return false
}

// leaveEndpoint chooses another endpoint for a client without a session. Without another endpoint, it returns false and changes
// nothing.
func (x *Exchange) leaveEndpoint() bool {
	before := x.decision
	if x.backend.Policy.Next(&x.decision, x.identity(), x.set) < 0 || !x.reserveOther() {
		x.decision = before
		return false
	}
	x.endpoint.SessionReleased(before.Session)
	return true
}
