package upstream

// minReplays is the number of replays that a pool may always have in flight.
const minReplays = 64

// BeginReplay reports whether a request that a pod may have processed may be sent again, and counts the replay.
// Without a limit, failing pods would receive twice the load.
//
// At most half of the requests in flight may be replays. If one of two pods fails, all of its requests can still be
// replayed. Each successful call must be paired with a call of EndReplay.
func (p *Pool) BeginReplay() bool {
	if p.replays.Add(1) > max(minReplays, p.Set().InFlight()/2) {
		p.replays.Add(-1)
		return false
	}
	return true
}

// EndReplay ends a replay that BeginReplay allowed.
func (p *Pool) EndReplay() { p.replays.Add(-1) }
