package http2

import (
	"errors"
	"io"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// NewClient returns the client side of a connection. The caller must also call Serve.
func NewClient(socket *http1.Conn, w io.Writer, o *Options) *Conn {
	c := newConn(socket, w, o)
	c.idleSince, c.settingsReceived = time.Now(), make(chan struct{})
	c.setOutput(o.appendSettings(append(c.output(), Preface...), true))
	return c
}

var errSettingsTimeout = errors.New("http2: timeout waiting for SETTINGS")

// AwaitSettings waits until the peer's SETTINGS have arrived, so that no more streams are opened than it allows.
func (c *Conn) AwaitSettings(timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.settingsReceived:
		return c.Err()
	case <-timer.C:
		return errSettingsTimeout
	}
}

// markSettingsReceived wakes the callers of AwaitSettings.
func (c *Conn) markSettingsReceived() {
	if !c.peer.received && c.settingsReceived != nil {
		close(c.settingsReceived)
	}
	c.peer.received = true
}

// Open opens a stream with the field section of a request, which is buffered. If endStream is set, the request has no body.
// If omitsBody is set, the response has no body regardless of its head, as for HEAD. Open returns ErrFull if the connection
// takes no further stream.
func (c *Conn) Open(block []byte, endStream, omitsBody bool) (*Stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.canOpenStream() {
		return nil, ErrFull
	}
	s := c.newStream(c.nextID)
	s.omitsBody, s.openSeq = omitsBody, c.outputSeq
	c.nextID += 2
	c.owned++
	s.appendBlock(block, endStream)
	return s, nil
}

// canOpenStream checks the peer's limit, and that the connection window has space for another response. Responses that have
// ended but were not read occupy that window too.
func (c *Conn) canOpenStream() bool {
	return c.err == nil && !c.noNewStreams && c.nextID < maxStream && len(c.streams) < int(c.peer.maxStreams) &&
		c.owned < c.options.ConnectionWindow/c.options.StreamWindow && c.pending() < maxPendingRequests
}

// refuseUnwritten fails the streams whose request is buffered but not written: the peer has not seen them, so they can be
// retried. It keeps the first buffer, which starts with the preface.
func (c *Conn) refuseUnwritten() {
	if c.out == nil || c.outputSeq == 0 {
		return
	}
	for id, s := range c.streams {
		if s.openSeq == c.outputSeq {
			s.failLocked(ErrRefused)
			delete(c.streams, id)
		}
	}
	c.out = nil
}

// Retire makes the connection close after its last stream. No further streams can be opened.
func (c *Conn) Retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noNewStreams = true
	c.closeIfRetired()
}

// closeIfRetired closes the client side of a retired connection that has no streams left.
func (c *Conn) closeIfRetired() {
	if c.isServer() || !c.noNewStreams || c.owned > 0 || c.err != nil {
		return
	}
	c.closeWithError(ErrClosed)
}

// closeWithError also closes the socket, without waiting: over TLS, closing takes seconds if the peer does not read.
func (c *Conn) closeWithError(err error) {
	c.failLocked(err)
	go c.socket.Close()
}

// CheckHealth retires a connection that has had no stream since idleBefore. It probes a connection that has streams, but has
// received no frame since the last call, with a PING. If there is still no frame at the next call, it closes the connection.
//
// It sends only one PING until another stream is opened. grpc-go treats repeated PINGs without other traffic as an attack,
// and closes the connection with all of its streams.
func (c *Conn) CheckHealth(idleBefore time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frames := c.recv.framesReceived.Load()
	switch {
	case c.err != nil:
	case c.owned == 0 && c.idleSince.Before(idleBefore):
		c.noNewStreams = true
		c.closeIfRetired()
	case c.owned == 0:
	case frames != c.framesAtLastCheck:
		c.framesAtLastCheck, c.pingSent = frames, false
	case c.pingSent:
		c.closeWithError(errPingTimeout)
	case c.pingNextID < c.nextID:
		c.pingSent, c.pingNextID = true, c.nextID
		c.setOutput(appendPing(c.output(), 0, [8]byte{'t', 'h', 'e', 'r', 'e', '?'}))
		c.flush()
	}
}

var errPingTimeout = errors.New("http2: no frame received since the last PING")
