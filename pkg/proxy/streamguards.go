package proxy

import (
	"net/http"
	"sync"
	"time"
)

// streamGuards are the guards of the streams of one connection, for the sweeper.
type streamGuards struct {
	mu     sync.Mutex
	all    map[*handlerStream]struct{}
	closed chan struct{} // made by close, and closed with the last stream
	empty  int64         // the server's clock when there was last a stream, or when the connection began
}

// add refuses after close, and more streams than a connection may have: quic-go lets clients open another one for each
// that they reset, whether or not it is still being served.
func (g *streamGuards) add(s *handlerStream) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed != nil || len(g.all) == maxStreams {
		return false
	}
	if g.all == nil {
		g.all = map[*handlerStream]struct{}{}
	}
	g.all[s] = struct{}{}
	return true
}

func (g *streamGuards) remove(s *handlerStream, clock int64) {
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
