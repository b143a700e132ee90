package affinity

import (
	"math"

	"github.com/limpet-dev/limpet/pkg/model"
)

// budget is how much busier than the others an endpoint may get by its sessions. The zero value sets no bound.
type budget struct {
	factor int64 // percent of the mean in flight
	least  int64 // requests in flight that are never too many
}

// giveWay sends a request elsewhere whose session is at home on an endpoint that is too busy. The session stays at home:
// a token that is due names that endpoint, and no other gets to know the session. It goes to the endpoint that ranks
// next for the session, so that its requests meet there too. One that drains keeps its sessions, since they are to end,
// and one that refuses connections is not busy.
func (c *call) giveWay() {
	d := c.d
	home := d.Endpoint
	if c.methods[d.Method].binding == hashed || home >= c.set.Ready() {
		return
	}
	bound := max(fullLoad(c.set, c.budget.factor), c.budget.least)
	if load := c.set.Requests(home); load < bound || load == math.MaxInt64 {
		return
	}
	others := c.offer(c.set, d)
	others.terms, others.key, others.load = terms{}, d.Session, bound
	at := others.try(model.PickHash)
	if at == none {
		return
	}
	d.Endpoint, d.home = at, home
	d.Outcome, d.Reason = OutcomeMoved, ReasonFull
}
