package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// rebalance is how sessions may move of their own accord.
type rebalance struct {
	afterIdle int64 // seconds, 0: never
	perMinute int64 // in a pool, 0: no bound
}

// isDue reports whether a token must be renewed so that its age tells how long the session was idle.
func (r *rebalance) isRenewalDue(t *Token, now int64) bool {
	return r.afterIdle > 0 && 2*(now-t.Renewed) >= r.afterIdle
}

// isIdle reports whether no request of the session has come for afterIdle. The last one may have come up to half of
// that after the token was sealed, without renewing it.
func (r *rebalance) isIdle(t *Token, now int64) bool {
	return r.afterIdle > 0 && 2*(now-t.Renewed) >= 3*r.afterIdle
}

// settleElsewhere moves an idle session to an endpoint that has fewer, if it evens them out. Draining endpoints keep
// theirs, since they are to end.
func (e *evaluation) rebalanceTarget(at int) (to int, moves bool) {
	if at >= e.set.Ready() {
		return at, false
	}
	offer := e.newCandidates(e.set, e.d)
	to = offer.choose(model.PickLeastSessions)
	if to == none || e.set.Sessions(to)+1 >= e.set.Sessions(at) {
		return at, false
	}
	return to, e.set.AllowMove(e.rebalance.perMinute, e.d.now)
}
