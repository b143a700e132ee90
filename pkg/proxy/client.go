package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// client is the connection of a client that speaks HTTP/1.1. While no request is being worked on it holds no buffer
// and no exchange.
type client struct {
	origin
	conn     *http1.Conn
	guard    guard // of the goroutine that serves the connection
	bodySide guard // of the goroutine that sends a request's body on
	idle     atomic.Bool
	closed   sync.Once
	tokens   affinity.Memory
}

var connectionCount atomic.Uint32

// serveHTTP1 serves a connection until it is closed.
func (s *Server) serveHTTP1(conn *http1.Conn, tls bool) {
	c := &client{conn: conn, origin: s.originOf(conn, tls)}
	c.memory = &c.tokens
	s.conns.add(c)
	s.Metrics.Connections.Inc()
	defer s.Metrics.Connections.Dec()
	defer s.conns.remove(c)
	defer c.close()
	for c.serveNext() {
	}
}

func (s *Server) originOf(conn net.Conn, tls bool) origin {
	o := origin{server: s, tls: tls, shard: connectionCount.Add(1)}
	peer, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	local, _ := netip.ParseAddrPort(conn.LocalAddr().String())
	o.peer, o.port = peer.Addr().Unmap().WithZone(""), local.Port()
	o.text = o.peer.String()
	o.trusted = s.trusts(o.peer)
	return o
}

// serveTLS runs the handshake, within the time for a head, and serves what the client chose.
func (s *Server) serveTLS(raw net.Conn) {
	conn := http1.NewLazyTLS(raw, s.tls)
	ctx, cancel := context.WithTimeout(context.Background(), s.Timeouts.Head)
	err := conn.HandshakeContext(ctx)
	cancel()
	if err != nil {
		s.Log.V(1).Info("TLS handshake failed", "peer", raw.RemoteAddr().String(), "reason", err.Error())
		raw.Close()
		return
	}
	s.serveHTTP1(http1.NewConn(conn), true)
}

// serveNext waits for a request and serves it. It reports whether another may follow.
func (c *client) serveNext() bool {
	if !c.awaitRequest() {
		return false
	}
	s := streams.Get().(*stream)
	s.begin(c)
	again := s.serve()
	t := s.exchange.tunnel
	s.finish()
	streams.Put(s)
	if t != nil {
		t.run(c)
		return false
	}
	return again
}

// awaitRequest waits for the first byte of a request.
func (c *client) awaitRequest() bool {
	if len(c.conn.Buffered()) > 0 {
		return true
	}
	c.conn.Release()
	c.guard.start(c.conn, c.server.after(c.server.Timeouts.Idle))
	c.idle.Store(true)
	if c.server.stopping.Load() {
		return false
	}
	err := c.conn.Fill(0)
	c.idle.Store(false)
	return !c.guard.stop() && err == nil
}

// close closes the connection once.
func (c *client) close() {
	c.closed.Do(func() { c.conn.Close() })
}

// Lingering is how long, and how much, is read from a client that is being turned away while it still sends: closing
// at once would reset the connection and destroy the answer before it is read (RFC 9112 section 9.6).
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 256 << 10
)

func (c *client) linger() {
	if half, ok := c.conn.Conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.conn.SetReadDeadline(time.Time{}) // sending on a body may have been interrupted by one
	c.guard.start(c.conn, c.server.after(lingerTime))
	defer c.guard.stop()
	for read := 0; read < lingerBytes; {
		c.conn.Consume(len(c.conn.Buffered()))
		if c.conn.Fill(0) != nil {
			return
		}
		read += len(c.conn.Buffered())
	}
}

// readHead reads the head of a request into r, and keeps its bytes in held.
func (c *client) readHead(r *http1.Request, held *http1.Held) error {
	limits := &c.server.Limits
	waiting := false
	for {
		n, err := http1.ParseRequest(r, c.conn.Buffered(), limits)
		if err == nil {
			c.guard.stop()
			c.conn.Hold(n, held)
			return nil
		}
		if err != http1.ErrIncomplete {
			c.guard.stop()
			return err
		}
		if !waiting {
			waiting = true
			c.guard.start(c.conn, c.server.after(c.server.Timeouts.Head))
		}
		if err := c.conn.Fill(limits.HeadBytes); err != nil {
			return c.headFailure(err)
		}
	}
}

func (c *client) headFailure(err error) error {
	switch {
	case c.guard.stop():
		_ = c.conn.SetDeadline(time.Time{}) // the answer must still get out
		return os.ErrDeadlineExceeded
	case errors.Is(err, http1.ErrBufferFull):
		return http1.ErrHeadTooLarge
	}
	return io.EOF
}
