package proxy

import (
	"context"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// closeSchedule is the period over which Shutdown closes the streams of one kind. They close one after another, evenly, so
// that their clients do not all reconnect at the same time. The zero value closes none.
type closeSchedule struct{ start, end time.Time }

// closeSchedules has a schedule for each kind of stream.
type closeSchedules [observe.StreamKinds]closeSchedule

// shutdownMargin is the time between the last scheduled close and the deadline of Shutdown. For half of it, an HTTP/2 client
// may still read the data that was sent.
const shutdownMargin = 2 * time.Second

// newCloseSchedules returns the schedules for a shutdown that begins now. Without a deadline in ctx, no stream is closed.
//
// WebSockets, server-sent events and gRPC streams do not end by themselves. Their schedule uses all of the time, so that as few
// clients as possible reconnect at a time. A download ends by itself and is useless before. It has three quarters of the time
// to complete, and the remaining downloads are closed over the last quarter.
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

// apply closes the streams that are due at now.
func (all *closeSchedules) apply(to *exchange.LongStreams, now time.Time) {
	for kind := range all {
		to.CloseDownTo(observe.StreamKind(kind), all[kind].openShare(now))
	}
}

// openShare returns the share of the streams, from 0 to 1, that may be open at now.
func (s *closeSchedule) openShare(now time.Time) float64 {
	if s.end.IsZero() {
		return 1
	}
	share := float64(s.end.Sub(now)) / float64(max(s.end.Sub(s.start), 1))
	return min(max(share, 0), 1)
}
