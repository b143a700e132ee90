package proxy

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// Bounds of an HTTP/2 connection. Each stream costs a goroutine and a buffer of its body, so that a connection's worst
// case is what counts: 250 x 64 KiB.
const (
	maxStreams   = 250      // at once; what nginx allows is 128, what browsers ask for is 100
	streamWindow = 64 << 10 // bytes of a request's body that are taken before the pod has taken any
	// connectionWindow has room for the windows of all streams: one whose pod does not take its body holds up no other.
	connectionWindow = maxStreams * streamWindow
	http2FrameSize   = 16 << 10 // the least that must be allowed (RFC 9113 section 4.2)
)

// http2Server is the HTTP/2 side. The framing, flow control, and the bounds on what a flood may hold in memory are those
// of net/http, which is handed connections that have been seen to speak HTTP/2, in clear or inside of TLS, and takes both
// for the former.
type http2Server struct {
	http.Server
	arriving handoff
}

func newHTTP2(o *Options) *http2Server {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	s := &http2Server{arriving: handoff{conns: make(chan net.Conn), closed: make(chan struct{})}}
	s.Server = http.Server{
		Handler:           http.HandlerFunc(serveStream),
		Protocols:         &protocols,
		MaxHeaderBytes:    o.Limits.HeadBytes,
		ReadHeaderTimeout: o.Timeouts.Head,
		IdleTimeout:       o.Timeouts.Idle,
		ConnContext:       withClient,
		ErrorLog:          slog.NewLogLogger(logr.ToSlogHandler(o.Log.V(1)), slog.LevelInfo),
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReadFrameSize:              http2FrameSize,
			MaxReceiveBufferPerConnection: connectionWindow,
			MaxReceiveBufferPerStream:     streamWindow,
			WriteByteTimeout:              o.Timeouts.Body,
		},
	}
	go func() { _ = s.Serve(&s.arriving) }() // ends when the handoff is closed
	return s
}

// http2Preface is what a client begins with that speaks HTTP/2 (RFC 9113 section 3.4). The library checks the rest.
var http2Preface = []byte("PRI * HTTP/2.0\r\n\r\n")

// speaksHTTP2 looks at what a connection in clear begins with. An HTTP/1.1 request differs from the preface at its
// first byte or soon after, so that only the beginning of a preface is waited for.
func (c *client) speaksHTTP2() bool {
	for {
		got := c.conn.Buffered()
		if len(got) >= len(http2Preface) {
			return bytes.HasPrefix(got, http2Preface)
		}
		if !bytes.HasPrefix(http2Preface, got) {
			return false
		}
		c.guard.start(c.conn, c.server.after(c.server.Timeouts.Head))
		err := c.conn.Fill(0)
		if c.guard.stop() || err != nil {
			return false
		}
	}
}

// serveHTTP2 serves all streams of a connection, until it ends.
func (c *client) serveHTTP2() {
	conn := &http2Conn{
		Conn: c.conn, client: c, done: make(chan struct{}),
		frames: newFrameBudget(&c.server.frames, c.server.clock.Load()),
	}
	select {
	case c.server.http2.arriving.conns <- conn:
		<-conn.done
		c.guards.close()
	case <-c.server.http2.arriving.closed:
	}
}

// http2Conn is a connection that was handed over. Its client waits until it is closed.
type http2Conn struct {
	net.Conn
	client *client
	frames frameBudget
	flood  atomic.Bool
	once   sync.Once
	done   chan struct{}
}

func (c *http2Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.frames.received(p[:n], c.client.server.clock.Load()) {
		return 0, c.flooded()
	}
	return n, err
}

func (c *http2Conn) Write(p []byte) (int, error) {
	if !c.frames.sent(p, c.client.server.clock.Load()) {
		return 0, c.flooded()
	}
	return c.Conn.Write(p)
}

// flooded closes the connection without a goodbye: net/http may be in the middle of writing a frame.
func (c *http2Conn) flooded() error {
	if c.flood.CompareAndSwap(false, true) {
		c.client.server.Metrics.Refused(observe.RefusedFlood)
	}
	c.client.raw.Close()
	return errFlood
}

// Close is called by net/http, more than once.
func (c *http2Conn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { close(c.done) })
	return err
}

// handoff is the listener from which net/http takes connections that were accepted elsewhere.
type handoff struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

// Accept is part of net.Listener.
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close is part of net.Listener.
func (h *handoff) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr is part of net.Listener. Nobody asks.
func (h *handoff) Addr() net.Addr { return &net.TCPAddr{} }

func withClient(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*http2Conn); ok {
		return context.WithValue(ctx, clientKey{}, c.client)
	}
	return ctx
}
