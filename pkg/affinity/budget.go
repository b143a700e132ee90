package affinity

import (
	"math"

	"github.com/limpet-dev/limpet/pkg/model"
)

// budget is how much busier than the others an endpoint may get by its sessions. The zero value sets no bound.
type budget struct {
	balanceFactor int64 // percent of the mean in flight
	minRequests   int64 // requests in flight that are never too many
}

// giveWay sends a request elsewhere whose session is at home on an endpoint that is too busy. The session stays at home:
// a token that is due names that endpoint, and no other gets to know the session. It goes to the endpoint that ranks
// next for the session, so that its requests meet there too. One that drains keeps its sessions, since they are to end,
// and one that refuses connections is not busy.
func (e *evaluation) divertIfBusy() {
	d := e.d
	home := d.Endpoint
	if e.methods[d.Method].binding == hashed || home >= e.set.Ready() {
		return
	}
	bound := max(requestBound(e.set, e.budget.balanceFactor), e.budget.minRequests)
	if load := e.set.ActiveRequests(home); load < bound || load == math.MaxInt64 {
		return
	}
	others := e.newCandidates(e.set, d)
	others.requirements, others.key, others.requestBound = requirements{}, d.Session, bound
	at := others.pickOnce(model.PickHash)
	if at == none {
		return
	}
	d.Endpoint, d.sessionEndpoint = at, home
	d.Outcome, d.Reason = OutcomeMoved, ReasonFull
}
