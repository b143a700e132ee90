package proxy

import (
	"bytes"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// match pins the current table and finds the route and its backend. If there is none it answers, and returns false.
func (x *exchange) match() bool {
	x.bounds = x.server.usual
	path, changed, err := http1.NormalizePath(x.pathSpace[:0], x.req.Path)
	if err != nil {
		x.refuse(err)
		return false
	}
	x.path = path
	if changed {
		x.pathSpace = path
	}
	x.host = hostName(x.hostSpace[:0], x.req.Host)
	x.table = x.server.Tables.Current()
	if x.table == nil {
		x.answer(503, "Limpet has not read its configuration yet.")
		return false
	}
	x.route = x.table.Match(x.host, x.path)
	if x.route == nil {
		x.answer(404, "No route for this host and path.")
		return false
	}
	if !x.permit() || !x.limit() {
		return false
	}
	x.backend = x.split()
	if x.backend == nil {
		x.answer(503, "The Service behind this route does not exist.")
		return false
	}
	return true
}

// bind decides which endpoint the request goes to. If there is none it answers, and returns false.
func (x *exchange) bind() bool {
	x.decide()
	if x.decision.Await > 0 {
		x.awaitEndpoint()
	}
	if x.backend.Policy.IsBounded() {
		x.claim()
	}
	if x.decision.Outcome == affinity.OutcomeRefused {
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

func (x *exchange) decide() {
	x.set = x.backend.Pool.Set()
	x.backend.Policy.Decide(&x.decision, x, x.set, x.server.Keys.Load(), x.memory, x.start.Unix())
}

// claims bounds how often a request looks for a place that others take at the same moment.
const claims = 5

// claim counts the request where it will go before it goes there. Those who decide at the same moment would all see the
// last place free, and take it.
func (x *exchange) claim() {
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
func (x *exchange) begin() {
	if x.claimed != x.endpoint {
		x.endpoint.Begin()
	}
	x.claimed = nil
}

// awaitEndpoint gives the endpoint of a session a while to come, or for this replica to hear of it.
func (x *exchange) awaitEndpoint() {
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

// hostName writes the name in an authority: in lower case, without the port and without a trailing dot.
func hostName(dst, authority []byte) []byte {
	name := authority
	if colon := bytes.LastIndexByte(name, ':'); colon > bytes.LastIndexByte(name, ']') {
		name = name[:colon]
	}
	if n := len(name); n > 1 && name[n-1] == '.' {
		name = name[:n-1]
	}
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
