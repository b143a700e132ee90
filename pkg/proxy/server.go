package proxy

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// sweepInterval is the period of the sweeper, and so the resolution of all timeouts.
const sweepInterval = exchange.Resolution

// tightHeadTime limits the time for an HTTP/1.1 request head, in milliseconds, while less than half of the
// memory budget is free. Otherwise slow heads could use it up, and every complete request would be refused.
const tightHeadTime = 250

// aLongTimeAgo is a deadline in the past. Setting it ends a blocked read or write immediately.
var aLongTimeAgo = time.Unix(1, 0)

// Server accepts client connections and serves HTTP/1.1, HTTP/2 and HTTP/3 on them. It is safe for concurrent use.
type Server struct {
	// Immutable after NewServer:
	*exchange.Engine
	options     Options
	tls         *tls.Config
	http2       http2.Options
	sweeperDone chan struct{} // closed by Close, with mu held

	// Each of these synchronizes itself:
	http3     http3Server
	conns     connections
	admission admission

	// State of the shutdown:
	keepAlivesDisabled atomic.Bool // HTTP/1 responses carry "Connection: close"
	inShutdown         atomic.Bool // set with mu held

	mu          sync.Mutex
	listeners   []io.Closer    // guarded by mu
	acceptLoops sync.WaitGroup // Add is called with mu held
}

// transport describes how the connections of a listener are served.
type transport struct {
	serve func(*client)
	// canReject reports whether a connection over the limit can receive a 503 without a handshake.
	canReject bool
}

var (
	cleartextTransport = transport{serve: (*client).serveCleartext, canReject: true}
	tlsTransport       = transport{serve: (*client).serveTLS}
	quicTransport      = transport{serve: (*client).serveHTTP3}
)

// NewServer returns a Server and starts its sweeper. Callers must call Shutdown or Close to release it.
func NewServer(o Options) *Server {
	o.budget = cmp.Or(o.budget, defaultBudget)
	s := &Server{Engine: exchange.NewEngine(o.Config), options: o, sweeperDone: make(chan struct{})}
	s.tls = tlsConfig(&s.options)
	s.http3.configure(&s.options)
	s.http2 = s.http2Options()
	s.admission.limits, s.admission.metrics = o.Connections, o.Metrics
	go s.sweep()
	return s
}

// Serve accepts cleartext connections on l and serves HTTP/1.1 and HTTP/2 on them. It blocks until l fails or the server
// shuts down, closes l in the latter case, and then returns nil.
func (s *Server) Serve(l net.Listener) error {
	return s.accept(l, cleartextTransport)
}

// ServeTLS is like Serve, but expects TLS. ALPN selects HTTP/1.1 or HTTP/2.
func (s *Server) ServeTLS(l net.Listener) error {
	return s.accept(l, tlsTransport)
}

func (s *Server) accept(l net.Listener, t transport) error {
	if !s.trackListener(l) {
		return l.Close()
	}
	defer s.acceptLoops.Done()
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			s.admit(conn, t)
		case s.inShutdown.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// The process is most likely out of file descriptors. Open connections continue, and some will close.
			s.Log.Error(err, "Failed to accept a connection", "address", l.Addr().String())
			time.Sleep(sweepInterval)
		}
	}
}

// trackListener registers l and its accept loop. It returns false after shutdown has begun.
func (s *Server) trackListener(l io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inShutdown.Load() {
		return false
	}
	s.listeners = append(s.listeners, l)
	s.acceptLoops.Add(1)
	return true
}

// admit serves raw in a new goroutine, for which Shutdown waits. A connection over the limit is rejected or closed.
func (s *Server) admit(raw net.Conn, t transport) {
	admitted := s.admission.acquire()
	if !admitted && !s.admission.beginReject(t) {
		raw.Close()
		return
	}
	c := s.newClient(raw)
	c.overLimit = !admitted
	if !s.conns.add(c) {
		c.releaseAdmission()
		raw.Close()
		return
	}
	go c.serve(t)
}

// idleGrace is the minimum idle time before Shutdown closes a connection. The next request on a recently used connection
// may already be in flight. If it arrives, its response carries "Connection: close".
const idleGrace = 500 * time.Millisecond

// DisableKeepAlives adds "Connection: close" to every later HTTP/1 response. The server continues to accept connections.
// Called a few seconds before Shutdown, it leaves open only the HTTP/1 connections without traffic. HTTP/2 and HTTP/3
// connections are not affected.
func (s *Server) DisableKeepAlives() { s.keepAlivesDisabled.Store(true) }

// Shutdown gracefully shuts down the server. It closes all listeners, then idle connections, and waits for requests in
// progress to complete: their connections close after the response. HTTP/2 clients receive GOAWAY.
//
// Long-lived streams, such as WebSockets and server-sent events, are closed one after another, so that their clients do
// not all reconnect at the same time. The last one is closed shortly before the deadline of ctx. Without a deadline,
// Shutdown waits for the streams to end.
//
// Shutdown returns nil once all connections are closed. If ctx ends first, Shutdown closes the remaining connections and
// returns the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.closeListeners()
	s.acceptLoops.Wait()
	go func() { _ = s.http3.Shutdown(ctx) }() // sends GOAWAY on HTTP/3 connections, and returns when they are closed
	schedules := newCloseSchedules(ctx, time.Now())
	s.LongStreams.StartShutdown()
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		s.conns.interruptIdle(s.After(-idleGrace))
		s.conns.each((*client).sendGoAway)
		schedules.apply(&s.LongStreams, time.Now())
		if s.conns.empty() {
			s.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			s.Close()
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Close immediately closes all listeners and connections. Requests in progress fail. For a graceful shutdown, use Shutdown.
func (s *Server) Close() {
	s.closeListeners()
	s.CancelDials()
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.sweeperDone:
	default:
		close(s.sweeperDone)
	}
	s.conns.closeAll()
	s.LongStreams.CloseAll()
	s.http3.closeTransports()
}

// closeListeners begins the shutdown: no connection is accepted after it returns and the accept loops have ended.
func (s *Server) closeListeners() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepAlivesDisabled.Store(true)
	s.inShutdown.Store(true)
	s.AdvertiseHTTP3.Store(false)
	for _, l := range s.listeners {
		l.Close()
	}
	s.listeners = nil
}

// sweep advances the clock of the engine and ends reads and writes whose deadline has passed, until Close.
//
// One goroutine for all connections replaces a timer for each: setting a deadline costs a store instead of a system call
// or a heap operation.
func (s *Server) sweep() {
	start := time.Now()
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.sweeperDone:
			return
		case <-tick.C:
			clock := 1 + time.Since(start).Milliseconds()
			s.Tick(clock, time.Now())
			s.Memory.Sample(s.conns.sweep(clock, s.Memory.Tight()))
		}
	}
}
