package proxy

import (
	"bytes"
	"errors"
	"io"

	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// Flow control of an HTTP/2 connection. Each stream costs a goroutine and its buffered body, so the worst case of a
// connection is maxStreams x streamWindow, about 16 MiB.
const (
	maxStreams   = 250      // concurrent streams; nginx allows 128, and browsers use about 100
	streamWindow = 64 << 10 // bytes of a request body that may wait for the pod
	// connectionWindow is the sum of all stream windows, so that a stream whose pod reads slowly never blocks another.
	connectionWindow = maxStreams * streamWindow
)

// defaultBudget limits what a client may do that costs Limpet more than the client.
var defaultBudget = http2.Budget{
	// Browsers that leave a page, and gRPC clients whose deadlines expire, reset all their streams, at most maxStreams, and
	// then open others.
	ResetBurst: 500, ResetsPerSecond: 100,
	// gRPC clients send a PING for most of the data they receive, once per round trip.
	EmptyFrameBurst: 10_000, EmptyFramesPerSecond: 10_000,
}

// http2Options returns the limits for client connections.
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

// http2PrefaceStart is the start of the connection preface (RFC 9113 section 3.4), enough to distinguish it from any HTTP/1.1
// request. pkg/http2 checks the rest.
const http2PrefaceStart = "PRI * HTTP/2.0\r\n\r\n"

// hasHTTP2Preface reports whether a cleartext connection begins with the HTTP/2 connection preface. It reads more only while
// the received bytes are a prefix of the preface. An HTTP/1.1 request differs from it within the first few bytes.
func (c *client) hasHTTP2Preface() bool {
	preface := []byte(http2PrefaceStart)
	for {
		got := c.conn.Buffered()
		if len(got) >= len(preface) {
			return bytes.HasPrefix(got, preface)
		}
		if !bytes.HasPrefix(preface, got) {
			return false
		}
		c.guard.Start(c.conn, c.server.After(c.server.Timeouts.Head))
		err := c.conn.Fill(0)
		if c.guard.Stop() || err != nil {
			return false
		}
	}
}

// serveHTTP2 serves all streams of a connection and returns when the connection has ended.
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
	c.linger(shutdownMargin/2, lingerBytesAfter(err))
}

// lingerBytesAfter returns how many bytes are discarded after a connection has ended with err, so that the client receives the
// GOAWAY. After a clean end they may be bodies that the client sent before it read the responses. An error is the client's.
func lingerBytesAfter(err error) int64 {
	if errors.Is(err, io.EOF) {
		return connectionWindow
	}
	return 1 << 20
}

// boundedWriter writes to the client. A write fails if the client does not read for Timeouts.Body.
type boundedWriter struct{ *client }

// Write implements io.Writer.
func (w boundedWriter) Write(p []byte) (int, error) {
	w.guard.Start(w.conn, w.server.After(w.server.Timeouts.Body))
	n, err := w.conn.Write(p)
	w.guard.Stop()
	return n, err
}

// sweepHTTP2 frees unused memory, sends delayed resets, and sends GOAWAY after Timeouts.Idle without a stream.
func (c *client) sweepHTTP2(clock int64) {
	conn := c.http2.Load()
	if conn == nil {
		return
	}
	conn.StopIdleWorkers()
	conn.SendLateResets()
	if c.guards.isEmptySince(clock - c.server.Timeouts.Idle.Milliseconds()) {
		conn.StartGracefulShutdown()
	}
}

// sendGoAway makes the client open another connection for its next request. Open streams complete.
func (c *client) sendGoAway() {
	if conn := c.http2.Load(); conn != nil {
		conn.StartGracefulShutdown()
	}
}

// serveStream serves one stream, and resets it if its response is incomplete.
func (c *client) serveStream(stream *http2.Stream) {
	s := http2Streams.Get().(*http2Stream)
	s.reset(c, s, "HTTP/2.0")
	s.stream = stream
	s.source.Reset(stream, stream)
	if !c.guards.add(s) {
		stream.Close(http2.CodeRefused)
		return
	}
	defer c.containStreamPanic(s, stream)
	s.run(s.readHead())
	if t := s.exchange.Tunnel(); t != nil {
		t.Run(c.server.Engine, s.tunnelConn(), &s.source.Guard, &s.guard)
	}
	c.guards.remove(s, c.server.Clock())
	s.stopGuards()
	stream.Close(http2.CodeInternal)
	if s.exchange.Panicked() {
		return // the state of s is unknown, so it is not used again
	}
	s.out.Drop()
	s.stream = nil
	s.trimCookies()
	s.release()
	http2Streams.Put(s)
}

// containStreamPanic resets the stream, and no other, after a panic outside of its exchange. It must be deferred.
func (c *client) containStreamPanic(s *http2Stream, stream *http2.Stream) {
	cause := recover()
	if cause == nil {
		return
	}
	c.server.RecordPanic(cause)
	c.guards.remove(s, c.server.Clock())
	s.stopGuards()
	stream.Close(http2.CodeInternal)
}
