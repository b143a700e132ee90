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

// client is the connection of a client. While it speaks HTTP/1.1, and no request is being worked on, it holds no buffer and
// no exchange.
type client struct {
	exchange.Connection
	server    *Server
	raw       net.Conn       // the socket
	conn      *http1.Conn    // over the socket, or over TLS over it
	guard     exchange.Guard // of the goroutine that serves the connection
	idleSince atomic.Int64   // the server's clock when it began to wait for a request or handshake, 0 while it has one
	left      atomic.Bool    // it has reset the connection while an answer was awaited
	tooMany   bool           // it is one too many: see turnAway
	counted   netip.Addr     // as what it counts in admission
	tokens    affinity.ConnState

	// Of HTTP/1.1:
	source   exchange.BodySource // of the request that is being worked on
	requests int                 // so far
	arrived  func() bool         // serveArrived
	begun    *http1Stream        // of a request of which something has been read
	next     following           // what follows the request that serveArrived came to last
	tunnel   *exchange.Tunnel    // where bytesOnly follows
	light    atomic.Bool         // it holds no head and no buffer, though it has a request: see sampleMemory
	rests    bool                // another goroutine takes over, see rest

	// Of HTTP/2 and HTTP/3:
	guards streamGuards
	http2  atomic.Pointer[http2.Conn]
	quic   *quicConn // raw, if it is one
}

func (s *Server) newClient(raw net.Conn) *client {
	c := &client{raw: raw, server: s, Connection: exchange.NewConnection(s.Engine, raw)}
	c.quic, _ = raw.(*quicConn)
	c.guards.empty = s.Clock()
	c.tokens.Learned = s.Sessions
	c.Memory = &c.tokens
	c.arrived = c.serveArrived
	return c
}

// serveAs finds out who the client is, and serves it unless it has too many connections.
func (c *client) serveAs(how service) {
	defer c.end()
	if c.quic == nil && !c.learnOrigin() {
		return
	}
	switch {
	case c.tooMany:
		c.turnAway()
	case c.server.admission.enterClient(c):
		how.serve(c)
	case c.server.admission.beginTurningAway(how):
		c.server.admission.leave()
		c.tooMany = true
		c.turnAway()
	}
}

// end is where a goroutine that serves the connection ends: with the connection, unless that rests.
func (c *client) end() {
	if c.rests {
		c.rests = false
		go c.rest()
		return
	}
	s := c.server
	if c.conn != nil {
		c.conn.Close()
		s.Metrics.Connections.Dec()
	}
	c.Account.Close()
	s.admission.leaveClient(c.counted)
	c.raw.Close()
	s.conns.remove(c)
	c.leave()
}

// leave makes room for another connection.
func (c *client) leave() {
	if c.tooMany {
		c.server.admission.endTurningAway()
		return
	}
	c.server.admission.leave()
}

// serveClear serves a connection that speaks HTTP in clear.
func (c *client) serveClear() {
	c.speak(c.raw)
	c.idleSince.Store(c.server.Clock())
	switch {
	case !c.wait(c.idleUntil()):
	case c.speaksHTTP2():
		c.serveHTTP2()
	default:
		c.serveHTTP1()
	}
}

// serveTLS runs the handshake, within the time for a head, and serves what the client chose.
func (c *client) serveTLS() {
	conn := http1.NewLazyTLS(c.raw, c.server.tls)
	c.guard.Start(c.raw, c.server.After(c.server.Timeouts.Head))
	c.idleSince.Store(c.server.Clock())
	err := c.handshake(conn)
	c.idleSince.Store(0)
	if c.guard.Stop() || err != nil {
		if err != io.EOF { // that is a load balancer, seeing whether the port is open
			c.server.Metrics.Refused(observe.RefusedHandshake)
			c.server.Log.V(1).Info("TLS handshake failed", "peer", c.PeerText, "reason", err)
		}
		return
	}
	c.speak(conn)
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		c.serveHTTP2()
		return
	}
	c.serveHTTP1()
}

// speak begins to read the connection, from where HTTP begins.
func (c *client) speak(conn net.Conn) {
	c.conn = http1.NewConn(conn)
	c.server.Metrics.Connections.Inc()
}

// isWaiting reports whether a request is being worked on that takes its time. Any goroutine may ask.
func (c *client) isWaiting() bool { return c.idleSince.Load() == 0 && c.guard.Deadline() > 0 }

// Lingering is reading from a client that is being turned away while it may still send: closing at once would reset
// the connection and destroy the answer before it is read (RFC 9112 section 9.6).
const (
	lingerGap  = 2 * time.Second  // between two reads
	lingerTime = 10 * time.Second // in all
)

// linger reads on for that time, unless nothing comes for some of it.
func (c *client) linger(most time.Duration) {
	if !exchange.CloseWrite(c.conn) {
		return
	}
	_ = c.conn.SetReadDeadline(time.Time{}) // reading a body may have been interrupted by one
	end := c.server.After(most)
	for now := c.server.Clock(); now < end; now = c.server.Clock() {
		c.conn.Consume(len(c.conn.Buffered()))
		c.conn.Release()
		c.guard.Start(c.conn, min(end, c.server.After(lingerGap)))
		err := c.conn.Fill(0)
		if c.guard.Stop() || err != nil {
			return
		}
	}
}

// cut ends the connection in both directions, for its own goroutine to close. It does not wait: closing would, for the end
// of Watch, and over TLS for a client that does not read.
func (c *client) cut() {
	socket, ok := c.raw.(interface {
		CloseRead() error
		CloseWrite() error
	})
	if !ok {
		c.raw.Close()
		return
	}
	_, _ = socket.CloseRead(), socket.CloseWrite() // they fail on a connection that is closed
}

// reset closes the connection so that the client sees that something went wrong.
func (c *client) reset() {
	if socket, ok := c.raw.(interface{ SetLinger(int) error }); ok {
		_ = socket.SetLinger(0) // fails on a connection that is closed
	}
	c.raw.Close()
}
