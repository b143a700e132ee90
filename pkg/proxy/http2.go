package proxy

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/net/http2"
)

// Bounds of an HTTP/2 connection. Each stream costs a goroutine and a buffer of its body, so that a connection's worst
// case is what counts: 250 x 64 KiB.
const (
	http2Streams          = 250      // at once; what nginx allows is 128, what browsers ask for is 100
	http2StreamWindow     = 64 << 10 // bytes of a request's body that are taken before the pod has taken any
	http2ConnectionWindow = 1 << 20
	http2FrameSize        = 16 << 10 // the least that must be allowed (RFC 9113 section 4.2)
)

// newHTTP2 makes the HTTP/2 side. The framing, flow control and the bounds on floods of resets, settings, pings and
// continuations are those of golang.org/x/net/http2. base carries what that takes from net/http.
func newHTTP2(o *Options) (server *http2.Server, base *http.Server) {
	base = &http.Server{
		MaxHeaderBytes:    o.Limits.HeadBytes,
		ReadHeaderTimeout: o.Timeouts.Head,
		ErrorLog:          slog.NewLogLogger(logr.ToSlogHandler(o.Log.V(1)), slog.LevelInfo),
	}
	server = &http2.Server{
		MaxConcurrentStreams:         http2Streams,
		MaxReadFrameSize:             http2FrameSize,
		MaxUploadBufferPerConnection: http2ConnectionWindow,
		MaxUploadBufferPerStream:     http2StreamWindow,
		IdleTimeout:                  o.Timeouts.Idle,
		WriteByteTimeout:             o.Timeouts.Body,
	}
	// It also makes base.Shutdown say goodbye to every connection. It only fails where base asks for weak ciphers.
	if err := http2.ConfigureServer(base, server); err != nil {
		panic("proxy: " + err.Error())
	}
	return server, base
}

// http2Preface is what a client begins with that knows, without asking, that HTTP/2 is spoken (RFC 9113 section 3.4).
// The library checks the rest of it.
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
	c.server.http2.ServeConn(c.conn, &http2.ServeConnOpts{
		Context:    context.Background(),
		BaseConfig: c.server.base,
		Handler:    http.HandlerFunc(c.serveStream),
	})
}

// serveStream serves one request of an HTTP/2 connection. An answer that cannot be completed ends in RST_STREAM.
func (c *client) serveStream(w http.ResponseWriter, r *http.Request) {
	s := http2Pool.Get().(*http2Stream)
	s.begin(c, w, r)
	c.guards.add(s)
	s.serve()
	c.guards.remove(s)
	broken := s.exchange.broken
	s.finish()
	http2Pool.Put(s)
	if broken {
		panic(http.ErrAbortHandler)
	}
}

// streamGuards are the guards of the streams of one connection, for the sweeper.
type streamGuards struct {
	mu  sync.Mutex
	all map[*http2Stream]struct{}
}

func (g *streamGuards) add(s *http2Stream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all == nil {
		g.all = map[*http2Stream]struct{}{}
	}
	g.all[s] = struct{}{}
}

func (g *streamGuards) remove(s *http2Stream) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.all, s)
}

func (g *streamGuards) sweep(clock int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.all {
		s.guard.sweep(clock)
		s.bodySide.sweep(clock)
	}
}

// streamDeadline sets the deadline of one stream, as a guard does that of a connection.
type streamDeadline struct{ *http.ResponseController }

// SetDeadline is part of deadliner.
func (d streamDeadline) SetDeadline(t time.Time) error {
	if err := d.SetReadDeadline(t); err != nil {
		return err
	}
	return d.SetWriteDeadline(t)
}
