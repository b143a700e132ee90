package proxy

import (
	"context"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// spread is the time over which flows are closed on stop: one after the other, evenly, so that their clients do not all
// come back at once.
type closeSchedule struct{ start, end time.Time }

type closeSchedules [observe.StreamKinds]closeSchedule

// goodbye is left at the end: for half of it an HTTP/2 client may still read what was written to it.
const shutdownMargin = 2 * time.Second

// spreadsOnStop gives the time for each kind, none without a deadline.
//
// WebSockets, events and calls have no end to wait for: all of the time is theirs, so that as few as may be come back at
// a time. A download has one, and is worth nothing before: it is given three quarters of the time to get there, and what
// comes back of those that do not is spread over the last one.
func newCloseSchedules(ctx context.Context, now time.Time) (all closeSchedules) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return all
	}
	left := deadline.Sub(now)
	left -= min(shutdownMargin, left/2)
	for kind := range all {
		all[kind] = closeSchedule{now, now.Add(left)}
	}
	all[observe.StreamDownload].start = now.Add(left - left/4)
	return all
}

// apply closes what should be closed by now.
func (all *closeSchedules) apply(to *exchange.Flows, now time.Time) {
	for kind := range all {
		to.CloseDown(observe.StreamKind(kind), all[kind].openShare(now))
	}
}

// share is what part of the flows may be open at that time.
func (s *closeSchedule) openShare(now time.Time) float64 {
	if s.end.IsZero() {
		return 1
	}
	share := float64(s.end.Sub(now)) / float64(max(s.end.Sub(s.start), 1))
	return min(max(share, 0), 1)
}
