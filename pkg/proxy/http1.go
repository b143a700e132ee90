package proxy

import (
	"errors"
	"io"
	"os"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// serveHTTP1 serves requests one after another, until one ends the connection or takes it over.
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

// serveComplete serves requests whose bytes are all buffered, and waits for the next one without a blocked read
// (docs/adr/0042). It returns the next action. readMore means that pending holds a request that is not complete.
func (c *client) serveComplete() nextAction {
	if len(c.conn.Buffered()) == 0 {
		c.startIdle()
	} else if !c.serveBuffered() {
		return c.next
	}
	if c.conn.Watch(c.serveBufferedFunc) == nil {
		return c.next
	}
	expired := c.guard.Stop()
	c.handoff = expired && c.server.Clock() < c.idleUntil() && !c.server.inShutdown.Load()
	return closeConn
}

// serveBuffered serves the buffered requests and then begins the wait for the next one. It returns false, and sets next,
// if next is anything but serveAnother.
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

// idleHandoffAfter is the idle time, in milliseconds, after which a connection moves to a new goroutine: see waitIdle.
const idleHandoffAfter = 1000

// startIdle releases the read buffer and starts the guard for the wait for a request, until the hand-off is due.
func (c *client) startIdle() {
	c.conn.Release()
	now := c.server.Clock()
	c.idleSince.Store(now)
	c.guard.Start(c.conn, min(c.idleUntil(), now+idleHandoffAfter))
}

// serveNext reads and serves one request and returns the next action.
func (c *client) serveNext() nextAction { return c.serveRequest(c.nextStream()) }

// nextStream returns the stream for the next request, which is pending if part of the request has been read.
func (c *client) nextStream() *http1Stream {
	if s := c.pending; s != nil {
		c.pending = nil
		return s
	}
	s := http1Streams.Get().(*http1Stream)
	s.reset(c)
	return s
}

// serveRequest serves the request of s, returns s to its pool, and returns the next action.
func (c *client) serveRequest(s *http1Stream) nextAction {
	next := s.serve()
	c.tunnel = s.exchange.Tunnel()
	if s.exchange.Panicked() {
		return next // the state of s is unknown, so it is not used again
	}
	s.release()
	http1Streams.Put(s)
	return next
}

// perform executes the action that ends the HTTP/1.1 requests of a connection.
func (c *client) perform(next nextAction) {
	switch next {
	case runTunnel:
		c.bufferless.Store(true)
		c.tunnel.Run(c.server.Engine, c.conn, &c.source.Guard, &c.guard)
	case closeLingering:
		c.linger(lingerTime, lingerBytes)
	case resetConn:
		c.reset()
	}
}

// waitIdle waits for a request for the remaining idle time, in a goroutine that has served none. Such a goroutine needs a
// stack of only 2 KiB. A goroutine that has served requests has grown to 4 or 8 KiB, and stacks shrink only during garbage
// collection, if at all (docs/adr/0040).
func (c *client) waitIdle() {
	defer c.close()
	defer c.containPanic()
	if c.waitForRequest(c.idleUntil()) {
		c.serveHTTP1()
	}
}

// idleUntil returns the clock at which the idle timeout expires.
func (c *client) idleUntil() int64 { return c.idleSince.Load() + c.server.Timeouts.Idle.Milliseconds() }

// waitForRequest reports whether the first byte of a request arrives before the server's clock reaches until.
func (c *client) waitForRequest(until int64) bool {
	c.guard.Start(c.conn, until)
	defer c.guard.Stop() // the result does not matter: bytes that arrive after the deadline are still a request
	if c.conn.Fill(0) != nil {
		return false
	}
	c.idleSince.Store(0)
	return true
}

// reachedRequestLimit reports whether this is the last request that the connection may carry.
func (c *client) reachedRequestLimit() bool {
	limit := c.server.options.Connections.Requests
	return limit > 0 && c.requests >= limit
}

// readHead reads and parses the head of a request. s.head keeps the bytes that the parsed request refers to. It returns
// io.EOF if the connection ended without a complete head.
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
			c.headSince.Store(c.server.Clock())
			defer c.headSince.Store(0)
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

// chargeHead charges the account of the connection for a head that may exceed a buffer. It returns false if the account
// refuses.
func (s *http1Stream) chargeHead() bool {
	c := s.client
	// Twice, because the head is also serialized for the pod.
	if size := 2 * c.server.Limits.HeadBytes; s.charged == 0 && len(c.conn.Buffered()) >= http1.BufferSize/2 {
		if !c.Account.Take(size) {
			return false
		}
		s.charged = size
	}
	return true
}

// headError maps an error of a read within a head to the error that the exchange responds to.
func (c *client) headError(err error) error {
	switch {
	case c.guard.Stop():
		return os.ErrDeadlineExceeded
	case errors.Is(err, http1.ErrBufferFull):
		return http1.ErrHeadTooLarge
	}
	return io.EOF
}
