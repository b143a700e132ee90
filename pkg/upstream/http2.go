package upstream

import (
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// Flow-control windows of an HTTP/2 connection to a pod. The connection window covers many stream windows. A client
// that does not read its response therefore cannot block the responses of other clients.
const (
	http2StreamWindow     = 64 << 10
	http2ConnectionWindow = 64 << 20
	// http2WriteTimeout is the maximum time for one write to a pod.
	http2WriteTimeout = 30 * time.Second
)

// http2Conns is the pool of HTTP/2 connections to one endpoint with one Transport. Requests share the connections.
type http2Conns struct {
	endpoint  *Endpoint
	transport *Transport
	options   http2.Options

	mu      sync.Mutex
	conns   []*http2.Conn
	dialing *pendingDial // nil if no connection is being opened
}

// pendingDial is a connection that one request is opening and other requests wait for.
type pendingDial struct {
	done chan struct{}
	err  error
}

func newHTTP2Conns(e *Endpoint, d *Dialer, t *Transport) *http2Conns {
	return &http2Conns{endpoint: e, transport: t, options: http2.Options{
		StreamWindow:     http2StreamWindow,
		ConnectionWindow: http2ConnectionWindow,
		HeadBytes:        d.Limits.HeadBytes,
		Fields:           d.Limits.Fields,
		TrailerBytes:     d.Limits.TrailerBytes,
		Budget:           d.Budget,
		Clock:            func() int64 { return time.Now().UnixMilli() },
	}}
}

// OpenHTTP2 opens a stream and sends its field section, as http2.Conn.Open does. It uses a connection with a free
// stream, or opens a new connection. If it returns an error, no part of the request was sent.
func (e *Endpoint) OpenHTTP2(d *Dialer, t *Transport, block []byte, end, bodiless bool) (*http2.Stream, error) {
	all := e.http2.Load()
	if all == nil {
		e.http2.CompareAndSwap(nil, new(sync.Map))
		all = e.http2.Load()
	}
	known, ok := all.Load(t)
	if !ok {
		known, _ = all.LoadOrStore(t, newHTTP2Conns(e, d, t))
	}
	conns, request := known.(*http2Conns), streamRequest{block, end, bodiless}
	if stream := conns.openOnExisting(request); stream != nil {
		return stream, nil
	}
	return conns.openOnNewConn(d, request)
}

// streamRequest contains the arguments of http2.Conn.Open.
type streamRequest struct {
	block         []byte
	end, bodiless bool
}

// openOnExisting returns nil if no connection has a free stream.
func (h *http2Conns) openOnExisting(r streamRequest) *http2.Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range h.conns {
		if stream, err := conn.Open(r.block, r.end, r.bodiless); err == nil {
			return stream
		}
	}
	return nil
}

var errNoStreams = errors.New("all HTTP/2 connections to the pod have reached their stream limit")

// openOnNewConn waits for the pending connection, or opens one. The request that opens a connection uses its first
// stream, or fails. The number of connections therefore never exceeds the number of requests, for any behavior of the
// pod.
func (h *http2Conns) openOnNewConn(d *Dialer, r streamRequest) (*http2.Stream, error) {
	timer := time.NewTimer(d.Timeout)
	defer timer.Stop()
	for {
		current, mustDial := h.startDial()
		if mustDial {
			return h.dial(d, current, r)
		}
		select {
		case <-current.done:
		case <-timer.C:
			return nil, errNoStreams
		}
		if current.err != nil {
			return nil, current.err
		}
		if stream := h.openOnExisting(r); stream != nil {
			return stream, nil
		}
	}
}

// startDial returns the pending dial. If mustDial is true, the caller must open the connection.
func (h *http2Conns) startDial() (d *pendingDial, mustDial bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dialing != nil {
		return h.dialing, false
	}
	h.dialing = &pendingDial{done: make(chan struct{})}
	return h.dialing, true
}

// dial opens another connection. All requests that wait for it receive its error.
func (h *http2Conns) dial(d *Dialer, result *pendingDial, r streamRequest) (*http2.Stream, error) {
	conn, err := h.connect(d)
	var stream *http2.Stream
	if err == nil {
		stream, err = openFirst(conn, r)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && conn.Err() == nil { // a failed connection was removed already
		h.conns = append(h.conns, conn)
	}
	h.dialing, result.err = nil, err
	close(result.done)
	return stream, err
}

// openFirst opens the first stream of a connection. It closes the connection on failure.
func openFirst(conn *http2.Conn, r streamRequest) (*http2.Stream, error) {
	stream, err := conn.Open(r.block, r.end, r.bodiless)
	if err != nil {
		conn.Retire()
		return nil, errNoStreams
	}
	return stream, nil
}

func (h *http2Conns) connect(d *Dialer) (*http2.Conn, error) {
	socket, err := h.endpoint.dialHTTP2(d, h.transport)
	if err != nil {
		return nil, err
	}
	reading := http1.NewConn(socket)
	conn := http2.NewClient(reading, deadlineWriter{reading}, &h.options)
	go func() {
		_ = conn.Serve() // open streams receive the error
		h.remove(conn)
		reading.Close()
	}()
	if err := conn.AwaitSettings(d.Timeout); err != nil {
		conn.Retire()
		return nil, err
	}
	return conn, nil
}

func (h *http2Conns) remove(conn *http2.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = slices.DeleteFunc(h.conns, func(known *http2.Conn) bool { return known == conn })
}

// closeIdle closes connections that have been idle since before the given time, and those that do not respond to
// pings.
func (h *http2Conns) closeIdle(before time.Time) {
	for _, conn := range h.all() {
		conn.CheckHealth(before)
	}
}

// retire closes each connection after its last stream.
func (h *http2Conns) retire() {
	for _, conn := range h.all() {
		conn.Retire()
	}
}

func (h *http2Conns) all() []*http2.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.conns)
}

var errNoHTTP2 = errors.New("the pod does not support HTTP/2: it did not select h2 in the TLS handshake")

func (e *Endpoint) dialHTTP2(d *Dialer, t *Transport) (net.Conn, error) {
	socket, err := e.connect(d, nil)
	if err != nil || t.tls == nil {
		return socket, err
	}
	conn := http1.NewLazyTLSClient(socket, t.tls)
	if err := d.handshake(conn.Conn); err != nil {
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		conn.Close()
		return nil, errNoHTTP2
	}
	return conn, nil
}

// deadlineWriter bounds the duration of each write.
type deadlineWriter struct{ *http1.Conn }

// Write implements io.Writer.
func (w deadlineWriter) Write(p []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(http2WriteTimeout)) // fails only if closed; then the write fails too
	return w.Conn.Write(p)
}
