package exchange

import (
	"strconv"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
)

// decide lets the policy of the backend decide which endpoint r goes to.
func (s *selection) decide(r *request) {
	s.set = s.backend.Pool.Set()
	policy, keys, now := s.backend.Policy, r.Engine.Keys.Load(), r.start.Unix()
	if s.trace != nil {
		s.trace.Methods = policy.Explain(&s.decision, r.identity(), s.set, keys, r.Memory, now)
		return
	}
	policy.Decide(&s.decision, r.identity(), s.set, keys, r.Memory, now)
}

// unbound returns the response to a request for which there is no endpoint, nil if there is one.
func (s *selection) unbound() *filter.Response {
	switch {
	case s.isRefused():
		return s.refusal()
	case s.decision.Endpoint < 0:
		return noPod
	}
	return nil
}

// isRefused reports whether the policy refuses the request.
func (s *selection) isRefused() bool { return s.decision.Outcome == affinity.OutcomeRefused }

// refusal returns the response for a session whose endpoint is gone, under a policy that would rather fail than move it, and
// for a session too many.
func (s *selection) refusal() *filter.Response {
	status, seconds := s.backend.Policy.Refusal()
	text := "The pod of this session is not available."
	if s.decision.Reason == affinity.ReasonFull {
		text = "Every pod has as many sessions as it may have."
	}
	own := filter.NewText(status, text)
	if seconds > 0 {
		own.With(retryAfterName, strconv.AppendInt(nil, seconds, 10))
	}
	return own
}

// bind decides which endpoint the request goes to, and counts it there.
func (x *Exchange) bind() *filter.Response {
	x.decide(&x.request)
	if x.decision.Await > 0 {
		x.awaitEndpoint()
	}
	if x.backend.Policy.IsBounded() {
		x.claim()
	}
	if own := x.unbound(); own != nil {
		return own
	}
	// Counted here and again with the response, which may come from another endpoint. Otherwise new clients that come at the
	// same moment would all see the same endpoint as the one with the fewest sessions.
	e := x.set.Endpoint(x.decision.Endpoint)
	x.countSession(e)
	if x.decision.Guest {
		e.Came()
	}
	return nil
}

// claims bounds how often a request looks for a place that others take at the same moment.
const claims = 5

// claim counts the request where it will go before it goes there. Those who decide at the same moment would all see the
// last place free, and take it.
func (x *Exchange) claim() {
	for range claims {
		if x.decision.Endpoint < 0 {
			return
		}
		x.claimed = x.set.Endpoint(x.decision.Endpoint)
		x.claimed.Begin()
		if !x.backend.Policy.Exceeds(x.set, x.decision.Endpoint) {
			return
		}
		x.claimed.End()
		x.claimed = nil
		x.decide(&x.request)
	}
}

// begin counts the request at the endpoint of the attempt, unless claim has.
func (x *Exchange) beginAttempt() {
	if x.claimed != x.endpoint {
		x.endpoint.Begin()
	}
	x.claimed = nil
}

// awaitEndpoint waits a while for the endpoint of a session to come, or for this replica to learn of it.
func (x *Exchange) awaitEndpoint() {
	end := time.NewTimer(x.decision.Await)
	defer end.Stop()
	for {
		changed := x.backend.Pool.Changed()
		if x.decide(&x.request); x.decision.Await == 0 {
			return
		}
		select {
		case <-changed:
		case <-end.C:
			return
		}
	}
}

// nextEndpoint moves on to the next candidate, after the one decided on could not be reached.
func (x *Exchange) nextEndpoint() bool {
	x.endpoint.Refused()
	return x.backend.Policy.Next(&x.decision, x.identity(), x.set) >= 0
}
