package proxy

import (
	"context"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// spread is the time over which flows are closed on stop: one after the other, evenly, so that their clients do not all
// come back at once.
type spread struct{ from, over time.Time }

type spreads [observe.StreamKinds]spread

// goodbye is left at the end: for half of it an HTTP/2 client may still read what was written to it.
const goodbye = 2 * time.Second

// spreadsOnStop gives the time for each kind, none without a deadline.
//
// WebSockets, events and calls have no end to wait for: all of the time is theirs, so that as few as may be come back at
// a time. A download has one, and is worth nothing before: it is given three quarters of the time to get there, and what
// comes back of those that do not is spread over the last one.
func spreadsOnStop(ctx context.Context, now time.Time) (all spreads) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return all
	}
	left := deadline.Sub(now)
	left -= min(goodbye, left/2)
	for kind := range all {
		all[kind] = spread{now, now.Add(left)}
	}
	all[observe.StreamDownload].from = now.Add(left - left/4)
	return all
}

// apply closes what should be closed by now.
func (all *spreads) apply(to *exchange.LongStreams, now time.Time) {
	for kind := range all {
		to.CloseDownTo(observe.StreamKind(kind), all[kind].share(now))
	}
}

// share is what part of the flows may be open at that time.
func (s *spread) share(now time.Time) float64 {
	if s.over.IsZero() {
		return 1
	}
	share := float64(s.over.Sub(now)) / float64(max(s.over.Sub(s.from), 1))
	return min(max(share, 0), 1)
}
