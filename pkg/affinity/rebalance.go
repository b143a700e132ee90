package affinity

import "github.com/limpet-dev/limpet/pkg/model"

// rebalance configures moves of idle sessions. The zero value disables them.
type rebalance struct {
	afterIdle int64 // seconds; zero disables rebalancing
	perMinute int64 // maximum moves in one pool; zero sets no maximum
}

// isRenewalDue reports whether a token must be renewed. Its age then bounds the idle time of the session.
func (r *rebalance) isRenewalDue(t *Token, now int64) bool {
	return r.afterIdle > 0 && 2*(now-t.Renewed) >= r.afterIdle
}

// isIdle reports whether the session sent no request for afterIdle. The last request may be up to half of afterIdle
// later than the token, without a renewal.
func (r *rebalance) isIdle(t *Token, now int64) bool {
	return r.afterIdle > 0 && 2*(now-t.Renewed) >= 3*r.afterIdle
}

// rebalanceTarget returns an endpoint with fewer sessions, and whether an idle session on endpoint at must move there.
// A draining endpoint keeps its sessions, because the drain ends them.
func (e *evaluation) rebalanceTarget(at int) (to int, moves bool) {
	if at >= e.set.Ready() {
		return at, false
	}
	options := e.newCandidates(e.set, e.d)
	to = options.choose(model.PickLeastSessions)
	if to == none || e.set.Sessions(to)+1 >= e.set.Sessions(at) {
		return at, false
	}
	return to, e.set.AllowMove(e.rebalance.perMinute, e.d.now)
}
