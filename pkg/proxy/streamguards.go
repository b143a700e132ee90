package proxy

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// guarded is a stream with its two guards: of the goroutine that sends its body on, and of that of its exchange.
type guarded interface {
	guards() (there, back *exchange.Guard)
	IsClientGone() bool
}

// streamGuards are the guards of the streams of one connection, for the sweeper.
type streamGuards struct {
	mu     sync.Mutex
	all    map[guarded]struct{}
	closed chan struct{} // made by close, and closed with the last stream
	empty  int64         // the server's clock when there was last a stream, or when the connection began
}

// mostServed bounds the streams of a connection that are served. Clients may open another one for each that they reset, and
// it takes a moment until what was asked for is given up.
const mostServed = 2 * maxStreams

// add refuses after close, and more streams than may be served.
func (g *streamGuards) add(s guarded) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil || len(g.all) == mostServed {
		return false
	}
	if g.all == nil {
		g.all = map[guarded]struct{}{}
	}
	g.all[s] = struct{}{}
	return true
}

func (g *streamGuards) remove(s guarded, clock int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, s)
	g.empty = clock
	if g.closed != nil && len(g.all) == 0 {
		close(g.closed)
	}
}

// emptySince reports whether there has been no stream since that time.
func (g *streamGuards) emptySince(clock int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.all) == 0 && g.empty <= clock
}

// close takes no more streams, and waits until those there are have noticed that their connection is gone. Until then
// the sweeper must know them.
func (g *streamGuards) close() {
	g.mu.Lock()
	g.closed = make(chan struct{})
	if len(g.all) == 0 {
		close(g.closed)
	}
	g.mu.Unlock()
	<-g.closed
}

func (g *streamGuards) sweep(clock int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.all {
		there, back := s.guards()
		there.Sweep(clock)
		back.Sweep(clock)
		if s.IsClientGone() {
			back.Expire()
		}
	}
}
