package proxy

import (
	"context"
	"math"
	"sync"
	"time"
)

// tunnels is every tunnel that is open.
type tunnels struct {
	mu  sync.Mutex
	all map[*tunnel]struct{}
}

func (ts *tunnels) add(t *tunnel) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.all == nil {
		ts.all = map[*tunnel]struct{}{}
	}
	ts.all[t] = struct{}{}
}

func (ts *tunnels) remove(t *tunnel) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	delete(ts.all, t)
}

func (ts *tunnels) count() int {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return len(ts.all)
}

// closeBeyond closes tunnels until no more than that many are left: any of them, in no order.
func (ts *tunnels) closeBeyond(most int) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for t := range ts.all {
		if len(ts.all) <= most {
			return
		}
		delete(ts.all, t)
		t.conn.Close() // which ends both of its ways
	}
}

// spread is how tunnels are closed on stop: one after the other, evenly over the time there is, so that their
// clients do not all come back at once. Those that end by themselves meanwhile count.
type spread struct {
	total      int
	from, over time.Time
}

// goodbye is left at the end: net/http gives an HTTP/2 connection a second after its last stream.
const goodbye = 2 * time.Second

// newSpread closes nothing without a deadline.
func newSpread(ctx context.Context, total int, now time.Time) spread {
	deadline, ok := ctx.Deadline()
	if !ok {
		return spread{total: math.MaxInt, from: now}
	}
	left := deadline.Sub(now)
	return spread{total, now, now.Add(left - min(goodbye, left/2))}
}

// most is how many may be open at that time.
func (s *spread) most(now time.Time) int {
	if s.over.IsZero() {
		return s.total
	}
	left := float64(s.over.Sub(now)) / float64(max(s.over.Sub(s.from), 1))
	return int(math.Ceil(float64(s.total) * min(max(left, 0), 1)))
}
