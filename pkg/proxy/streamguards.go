package proxy

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// guarded is a stream with its two guards: of the goroutine that sends its body on, and of that of its exchange.
type guardedStream interface {
	guards() (there, back *exchange.Guard)
	HasLeft() bool
}

// streamGuards are the guards of the streams of one connection, for the sweeper.
type streamGuards struct {
	mu         sync.Mutex
	streams    map[guardedStream]struct{}
	closed     chan struct{} // made by close, and closed with the last stream
	lastActive int64         // the server's clock when there was last a stream, or when the connection began
}

// mostServed bounds the streams of a connection that are served. Clients may open another one for each that they reset, and
// it takes a moment until what was asked for is given up.
const maxServedStreams = 2 * maxStreams

// add refuses after close, and more streams than may be served.
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

// emptySince reports whether there has been no stream since that time.
func (g *streamGuards) isEmptySince(clock int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.streams) == 0 && g.lastActive <= clock
}

// close takes no more streams, and waits until those there are have noticed that their connection is gone. Until then
// the sweeper must know them.
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
		there, back := s.guards()
		there.Sweep(clock)
		back.Sweep(clock)
		if s.HasLeft() {
			back.Expire()
		}
	}
}
