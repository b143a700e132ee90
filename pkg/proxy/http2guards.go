package proxy

import (
	"net/http"
	"sync"
	"time"
)

// streamGuards are the guards of the streams of one connection, for the sweeper.
type streamGuards struct {
	mu     sync.Mutex
	all    map[*http2Stream]struct{}
	closed chan struct{} // made by close, and closed with the last stream
}

// add refuses after close.
func (g *streamGuards) add(s *http2Stream) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil {
		return false
	}
	if g.all == nil {
		g.all = map[*http2Stream]struct{}{}
	}
	g.all[s] = struct{}{}
	return true
}

func (g *streamGuards) remove(s *http2Stream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, s)
	if g.closed != nil && len(g.all) == 0 {
		close(g.closed)
	}
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
		s.guard.sweep(clock)
		s.bodySide.sweep(clock)
		if s.hasLeft() {
			s.guard.expire()
		}
	}
}

// streamDeadline sets the deadline of one stream, as a guard does that of a connection.
type streamDeadline struct{ *http.ResponseController }

// SetDeadline is part of deadliner.
func (d streamDeadline) SetDeadline(t time.Time) error {
	if err := d.SetReadDeadline(t); err != nil {
		return err
	}
	return d.SetWriteDeadline(t)
}
