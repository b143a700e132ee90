package proxy

import (
	"bytes"
	"errors"

	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// Bounds of an HTTP/2 connection. Each stream costs a goroutine and what waits of its body, so that a connection's worst
// case is what counts: 250 x 64 KiB.
const (
	maxStreams   = 250      // at once; what nginx allows is 128, what browsers ask for is 100
	streamWindow = 64 << 10 // bytes of a request's body that are taken before the pod has taken any
	// connectionWindow has room for the windows of all streams: one whose pod does not take its body holds up no other.
	connectionWindow = maxStreams * streamWindow
)

// usualBudget is what a connection may do that costs more than it costs the client.
var defaultBudget = http2.Budget{
	// Browsers that leave a page, and gRPC clients whose deadlines pass, reset all they have open, which maxStreams bounds,
	// and then go on with something else.
	ResetsAtOnce: 500, ResetsPerSecond: 100,
	// gRPC clients send a PING for most of what they receive, once a round trip.
	EmptyAtOnce: 10_000, EmptyPerSecond: 10_000,
}

// http2Options are what clients may do.
func (s *Server) http2Options() http2.Options {
	return http2.Options{
		Streams:          maxStreams,
		Requests:         s.options.Connections.Requests,
		StreamWindow:     streamWindow,
		ConnectionWindow: connectionWindow,
		HeadBytes:        s.Limits.HeadBytes,
		Fields:           s.Limits.Fields,
		TrailerBytes:     s.Limits.TrailerBytes,
		ExtendedConnect:  true,
		Budget:           s.options.budget,
		Clock:            s.Clock,
	}
}

// http2Begin is what tells the preface from any HTTP/1.1 request. The rest of it is checked later.
const http2PrefaceStart = "PRI * HTTP/2.0\r\n\r\n"

// speaksHTTP2 looks at what a connection in clear begins with. An HTTP/1.1 request differs from the preface at its
// first byte or soon after, so that only the beginning of a preface is waited for.
func (c *client) hasHTTP2Preface() bool {
	begin := []byte(http2PrefaceStart)
	for {
		got := c.conn.Buffered()
		if len(got) >= len(begin) {
			return bytes.HasPrefix(got, begin)
		}
		if !bytes.HasPrefix(begin, got) {
			return false
		}
		c.guard.Start(c.conn, c.server.After(c.server.Timeouts.Head))
		err := c.conn.Fill(0)
		if c.guard.Stop() || err != nil {
			return false
		}
	}
}

// serveHTTP2 serves all streams of a connection, until it ends.
func (c *client) serveHTTP2() {
	conn := http2.NewServer(c.conn, boundedWriter{c}, &c.server.http2, c.serveStream)
	conn.SetAccount(c.Account)
	c.http2.Store(conn)
	err := conn.Serve()
	if errors.Is(err, http2.ErrFlood) {
		c.server.Metrics.Refused(observe.RefusedFlood)
	}
	c.server.Log.V(1).Info("HTTP/2 connection ended", "peer", c.PeerText, "reason", err)
	c.guards.close()
	c.linger(shutdownMargin / 2)
}

// boundedWriter writes to the client, who may leave what was written unread for so long and no longer.
type boundedWriter struct{ *client }

// Write is part of io.Writer.
func (w boundedWriter) Write(p []byte) (int, error) {
	w.guard.Start(w.conn, w.server.After(w.server.Timeouts.Body))
	n, err := w.conn.Write(p)
	w.guard.Stop()
	return n, err
}

// sweepHTTP2 sends away a client that has asked for nothing for too long.
func (c *client) sweepHTTP2(clock int64) {
	conn := c.http2.Load()
	if conn == nil {
		return
	}
	conn.Trim()
	if c.guards.isEmptySince(clock - c.server.Timeouts.Idle.Milliseconds()) {
		conn.Leave()
	}
}

// leaveHTTP2 tells the client to go elsewhere with what it asks for next.
func (c *client) sendGoAway() {
	if conn := c.http2.Load(); conn != nil {
		conn.Leave()
	}
}

// serveStream serves one stream, and resets it if its answer cannot be completed.
func (c *client) serveStream(stream *http2.Stream) {
	s := http2Streams.Get().(*http2Stream)
	s.reset(c, s, "HTTP/2.0")
	s.stream = stream
	s.source.Begin(stream, stream)
	if !c.guards.add(s) {
		stream.Close(http2.CodeRefused)
		return
	}
	s.run(s.readHead())
	if t := s.exchange.Tunnel(); t != nil {
		t.Run(c.server.Engine, s.tunnelConn(), &s.source.Guard, &s.guard)
	}
	c.guards.remove(s, c.server.Clock())
	s.stopGuards()
	stream.Close(http2.CodeInternal)
	s.out.Drop()
	s.stream = nil
	s.trimCookies()
	s.release()
	http2Streams.Put(s)
}
