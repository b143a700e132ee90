package exchange

import "time"

// bind decides which endpoint the request goes to. If there is none it answers, and returns false.
func (x *Exchange) bind() bool {
	x.decide()
	if x.decision.Await > 0 {
		x.awaitEndpoint()
	}
	if x.backend.Policy.IsBounded() {
		x.claim()
	}
	if x.refusedByPolicy() {
		x.answerRefused()
		return false
	}
	if x.decision.Endpoint < 0 {
		x.answer(503, "No pod is ready.")
		return false
	}
	// Counted here and again with the answer, which may come from another endpoint: newcomers that come at once would
	// else all see the same endpoint as the one with the fewest sessions.
	e := x.set.Endpoint(x.decision.Endpoint)
	x.countSession(e)
	if x.decision.Guest {
		e.Came()
	}
	return true
}

func (x *Exchange) decide() {
	x.set = x.backend.Pool.Set()
	x.backend.Policy.Decide(&x.decision, x, x.set, x.Engine.Keys.Load(), x.Memory, x.start.Unix())
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
		x.decide()
	}
}

// begin counts the request at the endpoint of the attempt, unless claim has.
func (x *Exchange) begin() {
	if x.claimed != x.endpoint {
		x.endpoint.Begin()
	}
	x.claimed = nil
}

// awaitEndpoint gives the endpoint of a session a while to come, or for this replica to hear of it.
func (x *Exchange) awaitEndpoint() {
	end := time.NewTimer(x.decision.Await)
	defer end.Stop()
	for {
		changed := x.backend.Pool.Changed()
		if x.decide(); x.decision.Await == 0 {
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
	return x.backend.Policy.Next(&x.decision, x, x.set) >= 0
}
