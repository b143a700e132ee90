package proxy

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// guardedStream is a stream with two guards: one for the goroutine that forwards the request body, and one for the goroutine
// that runs the exchange and writes the response.
type guardedStream interface {
	guards() (request, response *exchange.Guard)
	IsClientGone() bool
}

// streamGuards is the set of streams being served on one connection, which the sweeper visits.
type streamGuards struct {
	mu         sync.Mutex
	streams    map[guardedStream]struct{}
	closed     chan struct{} // non-nil after close; closed when the last stream is removed
	lastActive int64         // the server's clock when a stream was last removed, or when the connection began
}

// maxServedStreams limits the streams of a connection that are served. It exceeds maxStreams because a client may replace a
// stream as soon as it has reset it, and the reset stream takes a moment to end.
const maxServedStreams = 2 * maxStreams

// add returns false, and adds nothing, after close and when maxServedStreams are being served.
func (g *streamGuards) add(s guardedStream) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil || len(g.streams) == maxServedStreams {
		return false
	}
	if g.streams == nil {
		g.streams = map[guardedStream]struct{}{}
	}
	g.streams[s] = struct{}{}
	return true
}

func (g *streamGuards) remove(s guardedStream, clock int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.streams, s)
	g.lastActive = clock
	if g.closed != nil && len(g.streams) == 0 {
		close(g.closed)
	}
}

// isEmptySince reports whether there has been no stream since clock.
func (g *streamGuards) isEmptySince(clock int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.streams) == 0 && g.lastActive <= clock
}

// close makes add fail, and waits until the streams have ended because their connection is closed. The sweeper must visit
// them until then, so the connection must not be removed before.
func (g *streamGuards) close() {
	g.mu.Lock()
	g.closed = make(chan struct{})
	if len(g.streams) == 0 {
		close(g.closed)
	}
	g.mu.Unlock()
	<-g.closed
}

func (g *streamGuards) sweep(clock int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.streams {
		request, response := s.guards()
		request.Sweep(clock)
		response.Sweep(clock)
		if s.IsClientGone() {
			response.Expire()
		}
	}
}
