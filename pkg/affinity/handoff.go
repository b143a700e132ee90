package affinity

import (
	"math"

	"github.com/limpet-dev/limpet/pkg/model"
)

// handoff configures moves of idle sessions away from a draining endpoint.
type handoff struct {
	afterIdle int64  // seconds
	perMinute int64  // maximum moves in one pool; zero sets no maximum
	header    []byte // names the draining endpoint
}

func compileHandoff(h *model.Handoff) *handoff {
	if h == nil {
		return nil
	}
	return &handoff{wholeSeconds(h.AfterIdle), int64(h.MaxPerMinute), []byte(h.Header)}
}

// isRenewalDue reports whether the token of a session on a draining endpoint must be renewed. Its age then bounds the time
// since the last request, at any replica.
func (h *handoff) isRenewalDue(t *Token, now int64) bool { return 2*(now-t.Renewed) >= h.afterIdle }

// isIdle reports whether the session sent no request to any replica for afterIdle. While the endpoint drains, the last request
// may be up to half of afterIdle later than the token, without a renewal. Before, it may be any time later. So the idle time
// does not begin before the drain.
func (h *handoff) isIdle(t *Token, drainedSince, now int64) bool {
	return 2*(now-max(t.Renewed, drainedSince)) >= 3*h.afterIdle
}

// mayHandOff reports whether a session whose token is examined may leave a draining endpoint.
func (e *evaluation) mayHandOff() bool { return e.handoff != nil && e.found != sessionFromToken }

// handOff moves the session of t, which method i found, away from the draining endpoint at if it is idle, or if the time is over
// for which the endpoint keeps sessions. The new endpoint is the one that ranks first for the session, so that parallel requests
// go to the same one, through any replica.
func (e *evaluation) handOff(i int, t *Token, at int) {
	d := e.d
	if e.handoff.isRenewalDue(t, d.now) {
		d.issueBy(i)
	}
	options := e.newCandidates(e.set, d)
	options.key, options.requestBound = t.Session, math.MaxInt64 // without those that refuse connections
	e.state.move = model.SessionMove{
		From: at, To: options.choose(model.PickHash), Session: t.Session,
		Start: true, Now: d.now, PerMinute: e.handoff.perMinute,
	}
	if m := &e.state.move; e.mayKeepSessions(e.set, at, d.now) {
		m.AfterIdle, m.Start = e.handoff.afterIdle, e.handoff.isIdle(t, e.set.StateSince(at), d.now)
	}
	to, isFirst := e.set.HandOff(&e.state.move)
	if to == at {
		return
	}
	d.issueBy(i)
	d.Endpoint, d.HandoffFrom = to, at
	if isFirst {
		d.Outcome, d.Reason = OutcomeMoved, ReasonHandoff
	}
}

// TracksUses reports whether callers must count the active requests of sessions.
func (p *Policy) TracksUses() bool { return p.handoff != nil }

// HandoffHeader returns the name of the request header that names the endpoint d.HandoffFrom, or nil if the request must not
// have it.
func (p *Policy) HandoffHeader(d *Decision) []byte {
	if p.handoff == nil || d.HandoffFrom == none {
		return nil
	}
	return p.handoff.header
}
