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

// Bounds of an HTTP/2 connection to a pod. The window of the connection has room for those of all streams, so that a
// client that does not read its answer cannot keep the answers of others from coming.
const (
	http2StreamWindow     = 64 << 10
	http2ConnectionWindow = 64 << 20
	// http2Silence is for how long a pod may leave unread what is written to it.
	http2Silence = 30 * time.Second
)

// http2Conns are the HTTP/2 connections to an endpoint that were made in one way. Requests share them.
type http2Conns struct {
	endpoint  *Endpoint
	transport *Transport
	options   http2.Options

	mu      sync.Mutex
	conns   []*http2.Conn
	dialing *dialing // what those wait for who find no room
}

// dialing is a connection that is being made, by one of those who need it.
type dialing struct {
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

// OpenHTTP2 begins a request over HTTP/2 with its field section, as http2.Conn.Open does, on a connection that has room or
// a new one. With an error no pod has seen anything of it.
func (e *Endpoint) OpenHTTP2(d *Dialer, t *Transport, block []byte, end, bodiless bool) (*http2.Stream, error) {
	known, ok := e.http2.Load(t)
	if !ok {
		known, _ = e.http2.LoadOrStore(t, newHTTP2Conns(e, d, t))
	}
	conns, request := known.(*http2Conns), opening{block, end, bodiless}
	if stream := conns.open(request); stream != nil {
		return stream, nil
	}
	return conns.openLater(d, request)
}

// opening is what http2.Conn.Open takes.
type opening struct {
	block         []byte
	end, bodiless bool
}

// open gives nil where no connection has room.
func (h *http2Conns) open(r opening) *http2.Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, conn := range h.conns {
		if stream, err := conn.Open(r.block, r.end, r.bodiless); err == nil {
			return stream
		}
	}
	return nil
}

var errNoRoom = errors.New("the connections to the pod have no room for another request")

// openLater waits for the connection that is being made, or makes one. Who makes it has the first stream of it, or gives up:
// so no pod gets more connections than requests, whatever it does with them.
func (h *http2Conns) openLater(d *Dialer, r opening) (*http2.Stream, error) {
	late := time.NewTimer(d.Timeout)
	defer late.Stop()
	for {
		current, isOurs := h.current()
		if isOurs {
			return h.dial(d, current, r)
		}
		select {
		case <-current.done:
		case <-late.C:
			return nil, errNoRoom
		}
		if current.err != nil {
			return nil, current.err
		}
		if stream := h.open(r); stream != nil {
			return stream, nil
		}
	}
}

// current gives the connection that is being made. With isOurs set it is for the caller to make it.
func (h *http2Conns) current() (d *dialing, isOurs bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dialing != nil {
		return h.dialing, false
	}
	h.dialing = &dialing{done: make(chan struct{})}
	return h.dialing, true
}

// dial makes one more connection. All who wait for it learn of its failure.
func (h *http2Conns) dial(d *Dialer, result *dialing, r opening) (*http2.Stream, error) {
	conn, err := h.connect(d)
	var stream *http2.Stream
	if err == nil {
		stream, err = begin(conn, r)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && conn.Err() == nil { // else it was forgotten already
		h.conns = append(h.conns, conn)
	}
	h.dialing, result.err = nil, err
	close(result.done)
	return stream, err
}

// begin opens the first stream of a connection, which ends if there is none.
func begin(conn *http2.Conn, r opening) (*http2.Stream, error) {
	stream, err := conn.Open(r.block, r.end, r.bodiless)
	if err != nil {
		conn.Retire()
		return nil, errNoRoom
	}
	return stream, nil
}

func (h *http2Conns) connect(d *Dialer) (*http2.Conn, error) {
	socket, err := h.endpoint.dialHTTP2(d, h.transport)
	if err != nil {
		return nil, err
	}
	reading := http1.NewConn(socket)
	conn := http2.NewClient(reading, patientWriter{reading}, &h.options)
	go func() {
		_ = conn.Serve() // whoever has a stream is told why
		h.forget(conn)
		reading.Close()
	}()
	if err := conn.AwaitSettings(d.Timeout); err != nil {
		conn.Retire()
		return nil, err
	}
	return conn, nil
}

func (h *http2Conns) forget(conn *http2.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = slices.DeleteFunc(h.conns, func(known *http2.Conn) bool { return known == conn })
}

// tidy closes connections that have been idle since before the given time, and those whose pod has fallen silent.
func (h *http2Conns) tidy(before time.Time) {
	for _, conn := range h.all() {
		conn.CheckHealth(before)
	}
}

// leave closes connections with their last request.
func (h *http2Conns) leave() {
	for _, conn := range h.all() {
		conn.Retire()
	}
}

func (h *http2Conns) all() []*http2.Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.conns)
}

var errNoHTTP2 = errors.New("the pod does not speak HTTP/2: it did not choose h2 in the TLS handshake")

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

// patientWriter bounds how long a write takes.
type patientWriter struct{ *http1.Conn }

// Write is part of io.Writer.
func (w patientWriter) Write(p []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(http2Silence)) // fails on a connection that is closed, and so does the write
	return w.Conn.Write(p)
}
