package proxy

import (
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// client is the server side of one client connection. An HTTP/1.1 connection without a request in progress holds no buffer
// and no exchange.
type client struct {
	// Immutable after newClient:
	server            *Server
	raw               net.Conn    // the TCP or QUIC connection
	quic              *quicConn   // raw as a QUIC connection, or nil
	serveBufferedFunc func() bool // the method value serveBuffered, made once to save an allocation

	// Owned by the goroutine that serves the connection. Streams of HTTP/2 and HTTP/3 copy Connection.
	exchange.Connection
	conn         *http1.Conn // reads raw, or TLS over raw
	overLimit    bool        // the connection exceeds a limit: see reject
	admissionKey netip.Addr  // the client under which admission counts the connection, invalid if it is not counted
	tokens       affinity.ConnState

	// Shared by the serving goroutine and the sweeper; synchronized by themselves:
	guard      exchange.Guard // deadline of the serving goroutine
	idleSince  atomic.Int64   // the server's clock when the wait for a request or handshake began, 0 outside such a wait
	headSince  atomic.Int64   // the server's clock when part of an HTTP/1.1 head had arrived, 0 once it is complete
	wasReset   atomic.Bool    // the client reset the connection while a response was pending
	bufferless atomic.Bool    // a request is in progress and holds neither head nor buffer: see sampleMemory

	// HTTP/1.1 only. Owned by the serving goroutine, except that source synchronizes with the sweeper:
	source   exchange.BodySource // body of the request in progress
	requests int                 // number of requests so far
	pending  *http1Stream        // the next request, if part of it has been read
	next     nextAction          // the result of the last request that serveBuffered served
	tunnel   *exchange.Tunnel    // set if the next action is runTunnel
	handoff  bool                // the idle connection moves to another goroutine: see waitIdle

	// HTTP/2 and HTTP/3 only. Shared with the goroutines of streams and the sweeper; synchronized by themselves:
	guards streamGuards
	http2  atomic.Pointer[http2.Conn]
}

func (s *Server) newClient(raw net.Conn) *client {
	c := &client{raw: raw, server: s, Connection: exchange.NewConnection(s.Engine, raw)}
	c.quic, _ = raw.(*quicConn)
	c.guards.lastActive = s.Clock()
	c.tokens.Learned = s.Sessions
	c.Memory = &c.tokens
	c.serveBufferedFunc = c.serveBuffered
	return c
}

// serve reads the PROXY protocol header, if one is required, and serves the connection unless it exceeds a limit.
func (c *client) serve(t transport) {
	defer c.close()
	defer c.containPanic()
	if c.quic == nil && !c.acceptProxyHeader() {
		return
	}
	switch {
	case c.overLimit:
		c.reject()
	case c.server.admission.acquireClient(c):
		t.serve(c)
	case c.server.admission.beginReject(t):
		c.server.admission.release()
		c.overLimit = true
		c.reject()
	}
}

// containPanic resets the connection, and no other, after a panic in its goroutine. It must be deferred.
func (c *client) containPanic() {
	if cause := recover(); cause != nil {
		c.server.RecordPanic(cause)
		c.handoff = false
		c.reset()
	}
}

// close closes the connection when its serving goroutine returns. If the connection is handed off, close instead starts the
// goroutine that waits for the next request.
func (c *client) close() {
	if c.handoff {
		c.handoff = false
		go c.waitIdle()
		return
	}
	s := c.server
	c.CloseOwned()
	if c.conn != nil {
		c.conn.Close()
		s.Metrics.Connections.Dec()
	}
	c.Account.Close()
	s.admission.releaseClient(c.admissionKey)
	c.raw.Close()
	s.conns.remove(c)
	c.releaseAdmission()
}

// releaseAdmission stops counting the connection, so that another one can be admitted.
func (c *client) releaseAdmission() {
	if c.overLimit {
		c.server.admission.endReject()
		return
	}
	c.server.admission.release()
}

// serveCleartext serves a connection without TLS: HTTP/2 if it begins with the connection preface, HTTP/1.1 otherwise.
func (c *client) serveCleartext() {
	c.startHTTP(c.raw)
	c.idleSince.Store(c.server.Clock())
	switch {
	case !c.waitForRequest(c.idleUntil()):
	case c.hasHTTP2Preface():
		c.serveHTTP2()
	default:
		c.serveHTTP1()
	}
}

// terminateTLS runs the TLS handshake on raw within Timeouts.Head and serves the protocol that ALPN selected.
func (c *client) terminateTLS(raw net.Conn) {
	conn := http1.NewLazyTLS(raw, c.server.tls)
	c.guard.Start(c.raw, c.server.After(c.server.Timeouts.Head))
	c.idleSince.Store(c.server.Clock())
	err := c.handshake(conn)
	c.idleSince.Store(0)
	if c.guard.Stop() || err != nil {
		if err != io.EOF { // io.EOF: a health check that connects and closes
			c.server.Metrics.Refused(observe.RefusedHandshake)
			c.server.Log.V(1).Info("TLS handshake failed", "peer", c.PeerText, "reason", err)
		}
		return
	}
	c.startHTTP(conn)
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		c.serveHTTP2()
		return
	}
	c.serveHTTP1()
}

// startHTTP prepares to read HTTP from conn, which is raw or TLS over raw.
func (c *client) startHTTP(conn net.Conn) {
	c.conn = http1.NewConn(conn)
	c.server.Metrics.Connections.Inc()
}

// awaitsResponse reports whether a request is in progress and waits for I/O. It may be called from any goroutine.
func (c *client) awaitsResponse() bool { return c.idleSince.Load() == 0 && c.guard.Deadline() > 0 }

// Bounds of a lingering close (RFC 9112 section 9.6). Closing immediately, while the client still sends, would reset the
// connection, and the client could lose the response.
const (
	lingerGap  = 2 * time.Second  // maximum gap between two reads
	lingerTime = 10 * time.Second // maximum total time
	// lingerBytes is the maximum size of what is discarded. Simple clients read no response before they have sent their body.
	lingerBytes = 64 << 20
)

// linger closes the write side and discards what the client still sends: at most maxBytes, and for at most timeout.
func (c *client) linger(timeout time.Duration, maxBytes int64) {
	if !exchange.CloseWrite(c.conn) {
		return
	}
	_ = c.conn.SetReadDeadline(time.Time{}) // clears the deadline that interrupted the reader of the body
	end := c.server.After(timeout)
	for c.server.Clock() < end {
		n := len(c.conn.Buffered())
		if maxBytes -= int64(n); maxBytes < 0 {
			return
		}
		c.conn.Consume(n)
		c.conn.Release()
		c.guard.Start(c.conn, min(end, c.server.After(lingerGap)))
		err := c.conn.Fill(0)
		if c.guard.Stop() || err != nil {
			return
		}
	}
}

// abort shuts down both directions of the connection, so that its serving goroutine fails and closes it. Unlike Close, it
// never blocks: Close waits for Watch to return and, over TLS, for a client that does not read.
func (c *client) abort() {
	socket, ok := c.raw.(interface {
		CloseRead() error
		CloseWrite() error
	})
	if !ok {
		c.raw.Close()
		return
	}
	_, _ = socket.CloseRead(), socket.CloseWrite() // fail if the connection is already closed
}

// reset closes the connection with a TCP RST, so that the client detects an incomplete response.
func (c *client) reset() {
	if socket, ok := c.raw.(interface{ SetLinger(int) error }); ok {
		_ = socket.SetLinger(0) // fails if the connection is already closed
	}
	c.raw.Close()
}
