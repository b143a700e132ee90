package upstream

// minReplays is how many requests of a pool may be in flight for the second time, however few there are in all.
const minReplays = 64

// BeginReplay asks for leave to send a request once more that a pod may have acted on. A pool whose pods fall over would
// otherwise get twice the load when it can bear it least. No more than half of the requests in flight may be such ones,
// so that those of a pod that dies, and is one of two, all find another. EndReplay gives the leave back.
func (p *Pool) BeginReplay() bool {
	var inFlight int64
	for _, e := range p.Set().Endpoints() {
		inFlight += e.InFlight()
	}
	if p.replays.Add(1) > max(minReplays, inFlight/2) {
		p.replays.Add(-1)
		return false
	}
	return true
}

// EndReplay says that a request for which BeginReplay gave leave is over.
func (p *Pool) EndReplay() { p.replays.Add(-1) }
