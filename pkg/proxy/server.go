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

// sweepEvery is the resolution of all timeouts.
const sweepEvery = exchange.Resolution

// longAgo is the deadline that ends a wait at once.
var longAgo = time.Unix(1, 0)

// Server accepts the connections of clients and serves them. Safe for concurrent use.
type Server struct {
	*exchange.Engine
	options   Options
	tls       *tls.Config
	http2     http2.Options
	http3     http3Server
	conns     connections
	admission admission

	leaving  atomic.Bool // answers ask clients to close their connection
	stopping atomic.Bool
	sweeper  chan struct{}

	mu        sync.Mutex
	listeners []io.Closer
	accepting sync.WaitGroup
}

// service is what becomes of the connections of a listener.
type service struct {
	serve   func(*client)
	answers bool // those that are one too many: it is known how, without a handshake
}

var (
	inClear   = service{serve: (*client).serveClear, answers: true}
	overTLS   = service{serve: (*client).serveTLS}
	overHTTP3 = service{serve: (*client).serveHTTP3}
)

// NewServer makes a Server and starts its sweeper. Stop or Close must be called in the end.
func NewServer(o Options) *Server {
	o.budget = cmp.Or(o.budget, usualBudget)
	s := &Server{Engine: exchange.NewEngine(o.Config), options: o, sweeper: make(chan struct{})}
	s.tls = tlsConfig(&s.options)
	s.http3.prepare(&s.options)
	s.http2 = s.http2Options()
	s.admission.limits, s.admission.metrics = o.Connections, o.Metrics
	go s.sweep()
	return s
}

// Serve accepts connections that speak HTTP in clear, until the listener fails or the server stops. It returns nil in
// the latter case.
func (s *Server) Serve(l net.Listener) error {
	return s.accept(l, inClear)
}

// ServeTLS accepts connections that speak HTTP over TLS, like Serve.
func (s *Server) ServeTLS(l net.Listener) error {
	return s.accept(l, overTLS)
}

func (s *Server) accept(l net.Listener, how service) error {
	if !s.listen(l) {
		return l.Close()
	}
	defer s.accepting.Done()
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			s.admit(conn, how)
		case s.stopping.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// Out of file descriptors, most likely: what is open goes on, and closing it will help.
			s.Log.Error(err, "Accepting a connection failed", "address", l.Addr().String())
			time.Sleep(sweepEvery)
		}
	}
}

func (s *Server) listen(l io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return false
	}
	s.listeners = append(s.listeners, l)
	s.accepting.Add(1)
	return true
}

// admit serves a connection in a goroutine of its own, unless it is one too many. From here on Stop waits for it.
func (s *Server) admit(raw net.Conn, how service) {
	entered := s.admission.enter()
	if !entered && !s.admission.beginTurningAway(how) {
		raw.Close()
		return
	}
	c := s.newClient(raw)
	c.tooMany = !entered
	if !s.conns.add(c) {
		c.leave()
		raw.Close()
		return
	}
	go c.serveAs(how)
}

// quiet is how long a connection is idle before Stop closes it: the next request of one that was used just now may
// be on its way already. If it comes, its answer says that the connection is closed.
const quiet = 500 * time.Millisecond

// Leave makes every answer over HTTP/1 the last one of its connection, while connections are still taken. Called some
// seconds before Stop, it leaves it those connections only on which no request is to be expected.
func (s *Server) Leave() { s.leaving.Store(true) }

// Stop lets every request that has begun come to its end and takes no new connections: listeners are closed, idle
// connections too, the others after their answer. Streams that do not end by themselves are closed one after the other until
// shortly before the deadline of ctx. When ctx ends, all that is left is closed; that is the error then.
func (s *Server) Stop(ctx context.Context) error {
	s.closeListeners()
	s.accepting.Wait()
	go func() { _ = s.http3.Shutdown(ctx) }() // says goodbye on HTTP/3 connections, and ends with them
	closing := spreadsOnStop(ctx, time.Now())
	s.LongStreams.StartShutdown()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		s.conns.interruptIdle(s.After(-quiet))
		s.conns.each((*client).leaveHTTP2)
		closing.apply(&s.LongStreams, time.Now())
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

// Close closes everything at once.
func (s *Server) Close() {
	s.closeListeners()
	s.CancelDials()
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.sweeper:
	default:
		close(s.sweeper)
	}
	s.conns.closeAll()
	s.LongStreams.CloseAll()
	s.http3.closeTransports()
}

func (s *Server) closeListeners() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving.Store(true)
	s.stopping.Store(true)
	s.AdvertiseHTTP3.Store(false)
	for _, l := range s.listeners {
		l.Close()
	}
	s.listeners = nil
}

// sweep moves the clock on and ends the waits that take too long.
func (s *Server) sweep() {
	start := time.Now()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.sweeper:
			return
		case <-tick.C:
			clock := 1 + time.Since(start).Milliseconds()
			s.Tick(clock, time.Now())
			s.Memory.Sample(s.conns.sweep(clock))
		}
	}
}
