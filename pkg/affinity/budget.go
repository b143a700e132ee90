package affinity

import (
	"math"

	"github.com/limpet-dev/limpet/pkg/model"
)

// budget bounds the load of an endpoint relative to the others of its pool. The zero value sets no bound.
type budget struct {
	balanceFactor int64 // bound in percent of the mean number of active requests; zero disables it
	minRequests   int64 // lower limit of the bound, in active requests
}

// divertIfBusy selects another endpoint for this request if the session's endpoint is too busy.
//
// The session itself stays: a renewed token names its own endpoint, and no other endpoint counts the session. Diverted
// requests of a session all use the endpoint that ranks next for it. Sessions of a draining endpoint are not diverted,
// because the drain ends them, and neither are sessions whose state the endpoint must fetch. An endpoint that refuses connections is not considered busy.
func (e *evaluation) divertIfBusy() {
	d := e.d
	current := d.Endpoint
	if e.methods[d.Method].binding == hashed || current >= e.set.Ready() || d.HandoffFrom != none {
		return
	}
	bound := max(requestBound(e.set, e.budget.balanceFactor), e.budget.minRequests)
	if load := e.set.ActiveRequests(current); load < bound || load == math.MaxInt64 {
		return
	}
	others := e.newCandidates(e.set, d)
	others.requirements, others.key, others.requestBound = requirements{}, d.Session, bound
	at := others.pickOnce(model.PickHash)
	if at == none {
		return
	}
	d.Endpoint, d.sessionEndpoint = at, current
	d.Outcome, d.Reason = OutcomeMoved, ReasonFull
}
