package proxy

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// Bounds of QUIC, beside those that HTTP/2 has as well.
const (
	// maxHTTP3Streams is how many streams a connection has at once. It is fewer than with HTTP/2, because quic-go holds some
	// KiB of a stream until the client has acknowledged all of the response. RFC 9114 section 6.1 wants 100 at least.
	maxHTTP3Streams = 128
	// http3FirstWindow is how much of all bodies of a connection may wait for their pods at first. It grows as they are read,
	// up to connectionWindow, unless memory is short.
	http3InitialWindow  = 512 << 10
	http3ControlStreams = 8 // that the client opens: three are for HTTP/3 itself (RFC 9114 section 6.2)
	// Handshakes cost CPU, and their senders may be forged. Above that rate clients have to show first that they receive
	// what is sent to them, which takes them a round trip more (RFC 9000 section 8.1.2).
	handshakesAtOnce, handshakesPerSecond = 200, 200

	http3NoError       = 0x100 // RFC 9114 section 8.1
	http3ExcessiveLoad = 0x107
)

// http3Server is the HTTP/3 side: quic-go does QUIC and the framing.
type http3Server struct {
	http3.Server
	clients sync.Map // *quic.Conn -> *client, while it is served

	mu         sync.Mutex
	transports []*quic.Transport
}

func (h *http3Server) configure(o *Options) {
	h.Handler = http.HandlerFunc(serveHTTP3Stream)
	h.MaxHeaderBytes = o.Limits.HeadBytes
	h.Logger = slog.New(logr.ToSlogHandler(o.Log.V(1)))
	h.ConnContext = func(ctx context.Context, conn *quic.Conn) context.Context {
		c, _ := h.clients.Load(conn)
		return context.WithValue(ctx, clientKey{}, c)
	}
}

// quicConfig leaves 0-RTT off: what comes that way can be sent again by anybody who has seen it.
func quicConfig(o *Options) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           o.Timeouts.Head / 2, // the whole of it may take twice as long
		MaxIdleTimeout:                 o.Timeouts.Idle,
		InitialStreamReceiveWindow:     streamWindow,
		MaxStreamReceiveWindow:         4 * streamWindow,
		InitialConnectionReceiveWindow: http3InitialWindow,
		MaxConnectionReceiveWindow:     connectionWindow,
		MaxIncomingStreams:             maxHTTP3Streams,
		MaxIncomingUniStreams:          http3ControlStreams,
		AllowConnectionWindowIncrease:  func(*quic.Conn, uint64) bool { return !o.Memory.Tight() },
	}
}

// ServeHTTP3 accepts QUIC connections that speak HTTP/3, like Serve, and lets clients of HTTPS know that there is HTTP/3 at
// the port that they came to. The socket is closed with the server.
func (s *Server) ServeHTTP3(socket net.PacketConn) error {
	handshakes := http2.NewAllowance(handshakesAtOnce, handshakesPerSecond, s.Clock())
	transport := &quic.Transport{
		Conn:                socket,
		ConnContext:         withSession,
		VerifySourceAddress: func(net.Addr) bool { return !handshakes.Use(s.Clock()) },
	}
	l, err := transport.Listen(http3.ConfigureTLSConfig(s.tls), quicConfig(&s.options))
	if err != nil {
		socket.Close()
		return err
	}
	s.http3.addTransport(transport)
	if !s.trackListener(l) {
		s.http3.closeTransports()
		return l.Close()
	}
	defer s.acceptLoops.Done()
	s.AdvertiseHTTP3.Store(true)
	for {
		conn, err := l.Accept(context.Background())
		switch {
		case err == nil:
			s.admit(s.newQUICConn(conn), quicTransport)
		case s.inShutdown.Load():
			return nil
		default:
			return err
		}
	}
}

func (h *http3Server) addTransport(t *quic.Transport) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.transports = append(h.transports, t)
}

// closeTransports ends all connections that are left, and closes the sockets.
func (h *http3Server) closeTransports() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.transports {
		_ = t.Close()
		t.Conn.Close()
	}
	h.transports = nil
}

// withSession gives each connection a place for what its handshake comes to.
func withSession(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	return context.WithValue(ctx, tlsSessionKey{}, new(filter.TLSSession)), nil
}

// serveHTTP3 serves all streams of a connection, until it ends.
func (c *client) serveHTTP3() {
	session, _ := c.quic.Context().Value(tlsSessionKey{}).(*filter.TLSSession)
	state := c.quic.ConnectionState().TLS
	if err := recordSession(session, &state); err != nil {
		c.server.Log.V(1).Info("TLS handshake failed", "peer", c.PeerText, "reason", err)
		return
	}
	c.TLS = session
	c.server.Metrics.Connections.Inc()
	defer c.server.Metrics.Connections.Dec()
	h := &c.server.http3
	h.clients.Store(c.quic.Conn, c)
	defer h.clients.Delete(c.quic.Conn)
	if err := h.ServeQUICConn(c.quic.Conn); err != nil {
		c.server.Log.V(1).Info("HTTP/3 connection failed", "peer", c.PeerText, "reason", err)
	}
	c.guards.close()
}

// quicConn is a QUIC connection as far as a client needs one. Its bytes are read by quic-go alone.
type quicConn struct {
	*quic.Conn
	resets http2.Allowance
	flood  atomic.Bool
}

func (s *Server) newQUICConn(conn *quic.Conn) *quicConn {
	most := &s.options.budget
	return &quicConn{Conn: conn, resets: http2.NewAllowance(most.ResetsAtOnce, most.ResetsPerSecond, s.Clock())}
}

// Close says goodbye.
func (c *quicConn) Close() error { return c.CloseWithError(http3NoError, "") }

// leftBehind takes note of a stream that was reset while it was served. Too many end the connection, as they do in HTTP/2.
func (c *quicConn) countReset(s *Server) {
	if !c.resets.Use(s.Clock()) && c.flood.CompareAndSwap(false, true) {
		s.Metrics.Refused(observe.RefusedFlood)
		_ = c.CloseWithError(http3ExcessiveLoad, "too many resets")
	}
}

// The rest is part of net.Conn, and for nobody to use.

func (c *quicConn) Read([]byte) (int, error)         { return 0, os.ErrInvalid }
func (c *quicConn) Write([]byte) (int, error)        { return 0, os.ErrInvalid }
func (c *quicConn) SetDeadline(time.Time) error      { return os.ErrInvalid }
func (c *quicConn) SetReadDeadline(time.Time) error  { return os.ErrInvalid }
func (c *quicConn) SetWriteDeadline(time.Time) error { return os.ErrInvalid }

type clientKey struct{}

// serveHTTP3Stream serves one request of an HTTP/3 connection. An answer that cannot be completed ends in a reset of
// the stream.
func serveHTTP3Stream(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(clientKey{}).(*client)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	base, head := http3Cost(r)
	if !c.Account.Take(base + head) {
		c.quic.countReset(c.server)
		refuseHTTP3(w)
		return
	}
	defer c.Account.Return(base)
	s := http3Streams.Get().(*http3Stream)
	s.reset(c, s, "HTTP/3.0")
	s.attach(w, r)
	s.charged = head
	if !c.guards.add(s) {
		s.uncharge(c.Account)
		panic(http.ErrAbortHandler)
	}
	s.run(s.readHead())
	if t := s.exchange.Tunnel(); t != nil {
		t.Run(c.server.Engine, http1.NewConn(http3Tunnel{http3Stream: s}), &s.source.Guard, &s.guard)
	}
	s.drainBody()
	left := s.HasLeft()
	c.guards.remove(s, c.server.Clock())
	s.stopGuards()
	broken := s.exchange.Broken()
	s.uncharge(c.Account)
	s.detach()
	s.release()
	http3Streams.Put(s)
	if left {
		c.quic.countReset(c.server)
	}
	if broken {
		panic(http.ErrAbortHandler)
	}
}
