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
	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// Limits of QUIC connections, in addition to those shared with HTTP/2.
const (
	// maxHTTP3Streams is the maximum number of concurrent streams. It is lower than for HTTP/2, because quic-go holds a few KiB
	// of each stream until the client has acknowledged the whole response. RFC 9114 section 6.1 recommends at least 100.
	maxHTTP3Streams = 128
	// http3InitialWindow is the initial flow control window of a connection. quic-go increases it as bodies are read, up to
	// connectionWindow, unless memory is short.
	http3InitialWindow  = 512 << 10
	http3ControlStreams = 8 // unidirectional streams from the client; HTTP/3 itself uses three (RFC 9114 section 6.2)
	// Handshakes cost CPU, and their source addresses may be forged. Above this rate, clients must validate their address with
	// a Retry packet, which costs them one more round trip (RFC 9000 section 8.1.2).
	handshakesAtOnce, handshakesPerSecond = 200, 200

	http3NoError       = 0x100 // RFC 9114 section 8.1
	http3ExcessiveLoad = 0x107
)

// http3Server serves HTTP/3. quic-go implements QUIC and the framing.
type http3Server struct {
	http3.Server
	clients sync.Map // *quic.Conn -> *client, while the connection is served

	mu         sync.Mutex
	transports []*quic.Transport // guarded by mu
}

// configure sets the options of the quic-go server.
func (h *http3Server) configure(o *Options) {
	h.Handler = http.HandlerFunc(serveHTTP3Stream)
	h.MaxHeaderBytes = o.Limits.HeadBytes
	h.Logger = slog.New(logr.ToSlogHandler(o.Log.V(1)))
	h.ConnContext = func(ctx context.Context, conn *quic.Conn) context.Context {
		c, _ := h.clients.Load(conn)
		return context.WithValue(ctx, clientKey{}, c)
	}
}

// quicConfig returns the limits of QUIC connections. 0-RTT stays disabled, because an attacker can replay early data.
func quicConfig(o *Options) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:           o.Timeouts.Head / 2, // quic-go allows twice this for the complete handshake
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

// ServeHTTP3 is like Serve, but accepts QUIC connections on socket and serves HTTP/3. From then on, HTTPS responses advertise
// HTTP/3 in Alt-Svc, under the port that the client used. ServeHTTP3 or the shutdown closes socket.
func (s *Server) ServeHTTP3(socket net.PacketConn) error {
	handshakes := http2.NewRateLimiter(handshakesAtOnce, handshakesPerSecond, s.Clock())
	transport := &quic.Transport{
		Conn:                socket,
		ConnContext:         withSession,
		VerifySourceAddress: func(net.Addr) bool { return !handshakes.Allow(s.Clock()) },
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

// addTransport registers t for closeTransports.
func (h *http3Server) addTransport(t *quic.Transport) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.transports = append(h.transports, t)
}

// closeTransports closes the remaining connections and the sockets.
func (h *http3Server) closeTransports() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.transports {
		_ = t.Close()
		t.Conn.Close()
	}
	h.transports = nil
}

// withSession returns a context with an empty TLSSession, in which the handshake of a connection records its result.
func withSession(ctx context.Context, _ *quic.ClientInfo) (context.Context, error) {
	return context.WithValue(ctx, tlsSessionKey{}, new(filter.TLSSession)), nil
}

// serveHTTP3 serves all streams of a connection and returns when the connection has ended.
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

// quicConn makes a QUIC connection a net.Conn for client. Only quic-go reads and writes it.
type quicConn struct {
	*quic.Conn
	resets http2.RateLimiter // stream resets that the client may still cause
	flood  atomic.Bool       // the connection was closed because of too many resets
}

// newQUICConn wraps an accepted connection.
func (s *Server) newQUICConn(conn *quic.Conn) *quicConn {
	budget := &s.options.budget
	return &quicConn{Conn: conn, resets: http2.NewRateLimiter(budget.ResetBurst, budget.ResetsPerSecond, s.Clock())}
}

// Close closes the connection with H3_NO_ERROR.
func (c *quicConn) Close() error { return c.CloseWithError(http3NoError, "") }

// countReset counts a stream that was reset while it was served. Too many resets close the connection, as in HTTP/2.
func (c *quicConn) countReset(s *Server) {
	if !c.resets.Allow(s.Clock()) && c.flood.CompareAndSwap(false, true) {
		s.Metrics.Refused(observe.RefusedFlood)
		_ = c.CloseWithError(http3ExcessiveLoad, "too many resets")
	}
}

// The methods below complete net.Conn. They fail, because quic-go reads and writes the connection.

func (c *quicConn) Read([]byte) (int, error)         { return 0, os.ErrInvalid }
func (c *quicConn) Write([]byte) (int, error)        { return 0, os.ErrInvalid }
func (c *quicConn) SetDeadline(time.Time) error      { return os.ErrInvalid }
func (c *quicConn) SetReadDeadline(time.Time) error  { return os.ErrInvalid }
func (c *quicConn) SetWriteDeadline(time.Time) error { return os.ErrInvalid }

type clientKey struct{}
