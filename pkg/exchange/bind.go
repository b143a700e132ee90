package exchange

import (
	"strconv"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// decide chooses the endpoint of r with the policy of the backend.
func (s *selection) decide(r *request) {
	s.set = s.backend.Pool.Set()
	policy, keys, now := s.backend.Policy, r.Engine.Keys.Load(), r.start.Unix()
	if s.trace != nil {
		s.trace.Methods = policy.Explain(&s.decision, r.identity(), s.set, keys, r.Memory, now)
		return
	}
	s.beginProbe()
	policy.Decide(&s.decision, r.identity(), s.set, keys, r.Memory, now)
	s.confirmProbe()
}

// endpointError returns the response for a request without an endpoint, or nil if there is an endpoint.
func (s *selection) endpointError() *filter.Response {
	switch {
	case s.isRefused():
		return s.refusedResponse()
	case s.decision.Endpoint < 0:
		return noPod
	}
	return nil
}

// isRefused reports whether the policy refuses the request.
func (s *selection) isRefused() bool { return s.decision.Outcome == affinity.OutcomeRefused }

// refusedResponse returns the response if the policy refuses the request: the session's endpoint is gone and the policy does
// not move sessions, or every endpoint has reached its session limit.
func (s *selection) refusedResponse() *filter.Response {
	status, seconds := s.backend.Policy.Refusal()
	text := "The pod of this session is not available."
	if s.decision.Reason == affinity.ReasonFull {
		status, seconds = s.backend.Policy.FullRefusal()
		text = "Every pod has reached its session limit."
	}
	resp := filter.NewText(status, text)
	if seconds > 0 {
		resp.With(retryAfterName, strconv.AppendInt(nil, seconds, 10))
	}
	return resp
}

// bind decides which endpoint receives the request, and counts the session there.
func (x *Exchange) bind() *filter.Response {
	x.decide(&x.request)
	if x.decision.EndpointWait > 0 {
		x.awaitEndpoint()
	}
	x.preferOwned()
	if x.backend.Policy.IsBounded() {
		x.reserveEndpoint()
	}
	if resp := x.endpointError(); resp != nil {
		return resp
	}
	if resp := x.reserveWithinLimits(); resp != nil {
		return resp
	}
	// The session is counted here and again with the response, which may come from another endpoint. Otherwise concurrent
	// new clients would all see the same endpoint as the one with the fewest sessions.
	e := x.set.Endpoint(x.decision.Endpoint)
	x.isUnknown = x.countSession(e)
	x.countArrival(e)
	if x.decision.Anonymous {
		e.AddAnonymous()
	}
	return nil
}

// maxReservations limits how often a request looks for another endpoint because concurrent requests filled the chosen one.
const maxReservations = 5

// reserveEndpoint counts the request at its endpoint before the attempt starts. Otherwise concurrent requests would all see
// the same last free slot and take it.
func (x *Exchange) reserveEndpoint() {
	for range maxReservations {
		if x.decision.Endpoint < 0 {
			return
		}
		x.reserved = x.set.Endpoint(x.decision.Endpoint)
		x.reserved.BeginRequest()
		if !x.backend.Policy.Exceeds(x.set, x.decision.Endpoint) {
			return
		}
		x.reserved.EndRequest()
		x.reserved = nil
		x.decide(&x.request)
	}
}

// startAttempt counts the request at the endpoint of the attempt, unless reserveEndpoint has counted it already.
func (x *Exchange) startAttempt() {
	if x.reserved != x.endpoint {
		x.endpoint.BeginRequest()
	}
	x.reserved = nil
}

// beginUse counts an active request of the session at the endpoint of the attempt, for a policy with a handoff. It returns the
// session, or zero if it counts none.
func (x *Exchange) beginUse() (session uint64) {
	session = x.decision.Session
	if session == 0 || !x.backend.Policy.TracksUses() {
		return 0
	}
	x.endpoint.BeginUse(session)
	return session
}

// endUse ends a use that beginUse counted.
func endUse(e *upstream.Endpoint, session uint64) {
	if session != 0 {
		e.EndUse(session, time.Now().Unix())
	}
}

// awaitEndpoint waits until the endpoint of the session appears, or until this replica learns of it, or until the policy's
// wait time has passed.
func (x *Exchange) awaitEndpoint() {
	end := time.NewTimer(x.decision.EndpointWait)
	defer end.Stop()
	for {
		changed := x.backend.Pool.Changed()
		if x.decide(&x.request); x.decision.EndpointWait == 0 {
			return
		}
		probe := newProbeTimer(x.set)
		select {
		case <-changed:
		case <-probe.C:
		case <-end.C:
			probe.Stop()
			return
		}
		probe.Stop()
	}
}

// nextEndpoint selects the next candidate after a failed dial. It returns false if none is left within the limits of the backend.
func (x *Exchange) nextEndpoint() bool {
	x.endpoint.ConnectFailed()
	x.endpoint.SessionReleased(x.decision.Session)
	x.attempts.isAtSamePod = false
	return x.backend.Policy.Next(&x.decision, x.identity(), x.set) >= 0 && x.reserveWithinLimits() == nil
}
