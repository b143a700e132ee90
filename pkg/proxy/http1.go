package proxy

import (
	"errors"
	"io"
	"os"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// serveHTTP1 serves one request after the other.
func (c *client) serveHTTP1() {
	for {
		next := c.serveComplete()
		if next == readMore {
			next = c.serveNext()
		}
		if next != serveAnother {
			c.perform(next)
			return
		}
	}
}

// serveWhole serves requests that come in one piece, and waits for the next one (docs/adr/0042). It gives what follows the
// last one: unserved is one for which more is to be read.
func (c *client) serveComplete() nextAction {
	if len(c.conn.Buffered()) == 0 {
		c.startIdle()
	} else if !c.serveBuffered() {
		return c.next
	}
	if c.conn.Watch(c.serveBufferedFunc) == nil {
		return c.next
	}
	late := c.guard.Stop()
	c.handoff = late && c.server.Clock() < c.idleUntil() && !c.server.inShutdown.Load()
	return closeConn
}

// serveArrived serves the requests that have come. It returns false where what follows the last one needs more than the next.
func (c *client) serveBuffered() bool {
	c.guard.Stop()
	c.idleSince.Store(0)
	for len(c.conn.Buffered()) > 0 {
		s := c.nextStream()
		if !s.isComplete() {
			c.pending, c.next = s, readMore
			return false
		}
		if c.next = c.serveRequest(s); c.next != serveAnother {
			return false
		}
	}
	c.startIdle()
	return true
}

// restAfter is how long a connection is idle before it rests, in milliseconds.
const idleHandoffAfter = 1000

// await begins to wait for a request, until the connection is to rest.
func (c *client) startIdle() {
	c.conn.Release()
	now := c.server.Clock()
	c.idleSince.Store(now)
	c.guard.Start(c.conn, min(c.idleUntil(), now+idleHandoffAfter))
}

// serveNext serves a request, and gives what follows it.
func (c *client) serveNext() nextAction { return c.serveRequest(c.nextStream()) }

// nextStream is one for the next request, which may have been read in part.
func (c *client) nextStream() *http1Stream {
	if s := c.pending; s != nil {
		c.pending = nil
		return s
	}
	s := http1Streams.Get().(*http1Stream)
	s.reset(c)
	return s
}

func (c *client) serveRequest(s *http1Stream) nextAction {
	next := s.serve()
	c.tunnel = s.exchange.Tunnel()
	s.release()
	http1Streams.Put(s)
	return next
}

// follow does what comes after the last request.
func (c *client) perform(next nextAction) {
	switch next {
	case runTunnel:
		c.bufferless.Store(true)
		c.tunnel.Run(c.server.Engine, c.conn, &c.source.Guard, &c.guard)
	case closeLingering:
		c.linger(lingerTime)
	case resetConn:
		c.reset()
	}
}

// rest waits for the rest of the idle time in a goroutine that has done nothing else: it needs a stack of 2 KiB. Those
// which serve requests have grown to 4 or 8 KiB, and stacks shrink in garbage collections only, if at all (docs/adr/0040).
func (c *client) waitIdle() {
	defer c.close()
	if c.waitForRequest(c.idleUntil()) {
		c.serveHTTP1()
	}
}

func (c *client) idleUntil() int64 { return c.idleSince.Load() + c.server.Timeouts.Idle.Milliseconds() }

// wait reports whether a request begins to come, before the server's clock says until.
func (c *client) waitForRequest(until int64) bool {
	c.guard.Start(c.conn, until)
	defer c.guard.Stop() // it may be late, and come all the same
	if c.conn.Fill(0) != nil {
		return false
	}
	c.idleSince.Store(0)
	return true
}

// isUsedUp reports whether the connection has carried as many requests as it may.
func (c *client) reachedRequestLimit() bool {
	most := c.server.options.Connections.Requests
	return most > 0 && c.requests >= most
}

// readHead reads the head of a request, and keeps its bytes in s.head.
func (s *http1Stream) readHead() error {
	c, r := s.client, s.exchange.Request()
	limits := &c.server.Limits
	waiting := false
	for {
		n, err := http1.ParseRequest(r, c.conn.Buffered(), limits)
		if err == nil {
			c.guard.Stop()
			c.conn.Hold(n, &s.head)
			return nil
		}
		if err != http1.ErrIncomplete {
			c.guard.Stop()
			return err
		}
		if !waiting {
			waiting = true
			c.guard.Start(c.conn, c.server.After(c.server.Timeouts.Head))
		}
		if !s.chargeHead() {
			c.guard.Stop()
			return exchange.ErrBusy
		}
		if err := c.conn.Fill(limits.HeadBytes); err != nil {
			return c.headError(err)
		}
	}
}

// chargeHead counts a head that may come to need more than a buffer.
func (s *http1Stream) chargeHead() bool {
	c := s.client
	// It is written out for the pod as well.
	if most := 2 * c.server.Limits.HeadBytes; s.charged == 0 && len(c.conn.Buffered()) >= http1.BufferSize/2 {
		if !c.Account.Take(most) {
			return false
		}
		s.charged = most
	}
	return true
}

func (c *client) headError(err error) error {
	switch {
	case c.guard.Stop():
		return os.ErrDeadlineExceeded
	case errors.Is(err, http1.ErrBufferFull):
		return http1.ErrHeadTooLarge
	}
	return io.EOF
}
