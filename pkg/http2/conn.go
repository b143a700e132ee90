package http2

import (
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// Options are the limits that one side of a connection imposes on the peer. They are shared between connections and must not
// be modified.
type Options struct {
	// Streams limits the concurrent streams of the peer. A client sets zero.
	Streams int
	// Requests limits the requests of a connection. After that many, it is shut down gracefully. Zero means no limit.
	Requests int
	// StreamWindow and ConnectionWindow are the receive windows in bytes (RFC 9113 section 5.2).
	StreamWindow, ConnectionWindow int
	// HeadBytes, Fields and TrailerBytes limit field sections. Sizes are computed as in RFC 9113 section 6.5.2.
	HeadBytes, Fields, TrailerBytes int
	// ExtendedConnect enables WebSockets over HTTP/2 (RFC 8441).
	ExtendedConnect bool
	Budget          Budget
	// Clock returns the current time in milliseconds.
	Clock func() int64
}

// Conn is one side of an HTTP/2 connection. Its methods are safe for concurrent use, except Serve, which is called once.
type Conn struct {
	// Immutable after Serve was called.
	options *Options
	socket  *http1.Conn
	w       io.Writer       // output to socket
	handle  func(*Stream)   // called for each stream of the peer; nil for a client
	account *memory.Account // charged for the memory of the peer's streams; nil without a limit

	// Owned by the goroutine that calls Serve, except for framesReceived.
	recv recvState

	// The following are guarded by mu.
	mu  sync.Mutex
	err error // the error that ended the connection

	// Streams.
	streams          map[uint32]*Stream // open in at least one direction
	owned            int                // streams whose owner has not called Close
	requestsReceived int                // streams that the peer opened
	maxPeerID        uint32             // the highest ID of them
	nextID           uint32             // of the next stream that is opened from this side
	resetIDs         recentIDs          // reset from this side; frames for them may be in flight (RFC 9113 section 5.1)
	endedIDs         recentIDs          // ended in another way
	workers          workers

	// Flow control (RFC 9113 section 5.2) and the peer's settings.
	peer          peerSettings
	sendWindow    int64
	recvWindow    int64
	pendingCredit int // bytes that were consumed and not returned to the peer's window yet

	// Output. A stream that sends DATA waits in sendQueue for connection window or output space.
	out           *output
	outputSeq     uint32 // number of outputs that were taken to be written
	replies       int    // frames in out that reply to frames of the peer
	lateResets    lateResets
	writing       bool      // the writer goroutine exists
	outputChanged sync.Cond // out was taken, or the writer has ended
	sendQueue     []*Stream
	sender        *Stream // whose turn it is
	tableSizeSent bool    // the first field section was sent: see withTableSizeUpdate

	// Client only.
	settingsReceived  chan struct{} // closed once SETTINGS were received or the connection has ended
	idleSince         time.Time     // when the last stream was closed
	framesAtLastCheck uint32        // framesReceived at the last CheckHealth
	pingSent          bool          // and no frame was received since
	pingNextID        uint32        // nextID when the last PING was sent

	// Shutdown. noNewStreams is for a client: GOAWAY was received or the connection was retired.
	shutdown       shutdownState
	goAwaySentAt   int64  // of the first GOAWAY, on the clock of options
	lastAcceptedID uint32 // in the final GOAWAY
	noNewStreams   bool
}

// recvState belongs to the goroutine that calls Serve.
type recvState struct {
	decoder        *hpack.Decoder
	section        section
	spill          spill
	resetLimiter   RateLimiter
	emptyLimiter   RateLimiter
	framesReceived atomic.Uint32 // read by CheckHealth
}

// recentIDs is a ring of stream IDs.
type recentIDs struct {
	ids  []uint32
	next int // index of the oldest, modulo the length
}

func (r *recentIDs) add(id uint32, limit int) {
	if len(r.ids) < limit {
		r.ids = append(r.ids, id)
		return
	}
	r.ids[r.next%limit] = id
	r.next++
}

func (r *recentIDs) has(id uint32) bool { return slices.Contains(r.ids, id) }

// NewServer returns the server side of a connection. Output is written to w, which is socket or a wrapper of it that sets
// write deadlines. handle is called for each request on its own goroutine, and must Close the stream.
func NewServer(socket *http1.Conn, w io.Writer, o *Options, handle func(*Stream)) *Conn {
	c := newConn(socket, w, o)
	c.handle = handle
	c.setOutput(o.appendSettings(c.output(), false))
	return c
}

func newConn(socket *http1.Conn, w io.Writer, o *Options) *Conn {
	clock := o.Clock()
	c := &Conn{
		options: o, socket: socket, w: w, nextID: 1, streams: map[uint32]*Stream{}, peer: defaultPeerSettings(),
		sendWindow: initialWindow, recvWindow: int64(o.ConnectionWindow),
	}
	c.outputChanged.L = &c.mu
	c.recv.resetLimiter = NewRateLimiter(o.Budget.ResetBurst, o.Budget.ResetsPerSecond, clock)
	c.recv.emptyLimiter = NewRateLimiter(o.Budget.EmptyFrameBurst, o.Budget.EmptyFramesPerSecond, clock)
	c.recv.decoder = hpack.NewDecoder(tableSize, c.addField)
	c.recv.decoder.SetMaxStringLength(o.maxEncodedSection()) // a longer string ends the connection
	return c
}

// tableSize is the size of the decoder's dynamic table, the default of RFC 9113 section 6.5.2.
const tableSize = 4096

func (c *Conn) isServer() bool { return c.handle != nil }

// isIdle reports whether the stream is in the idle state (RFC 9113 section 5.1): it was never opened.
func (c *Conn) isIdle(id uint32) bool {
	if c.isServer() {
		return id > c.maxPeerID || id%2 == 0
	}
	return id >= c.nextID || id%2 == 0
}

// fail ends the connection and all of its streams. It sends a GOAWAY if err is a ConnError, and returns when that is written.
// It does not close the socket.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failLocked(err)
	for c.writing {
		c.outputChanged.Wait()
	}
}

func (c *Conn) failLocked(err error) {
	if c.err != nil {
		return
	}
	if !c.isServer() {
		c.refuseUnwritten()
	}
	c.lateResets.makeAllReady()
	if connErr, ok := err.(*ConnError); ok { //nolint:errorlint // never wrapped
		last := c.maxPeerID
		if c.shutdown == goAwayFinal {
			last = c.lastAcceptedID // the peer may have retried the streams above it elsewhere
		}
		c.setOutput(appendGoAway(c.output(), last, connErr.Code))
	}
	c.flush()
	c.err = err
	c.markSettingsReceived()
	c.workers.stopOldest(len(c.workers.idle))
	if errors.Is(err, io.EOF) { // readers would treat io.EOF as the end of a body
		err = io.ErrUnexpectedEOF
	}
	for id, s := range c.streams {
		s.failLocked(err)
		delete(c.streams, id)
	}
}

// Err returns the error that ended the connection, or nil while it is usable.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

const (
	// maxResetIDs limits the remembered streams that were reset from this side. All open streams may be reset together when a
	// pod goes away, while DATA for each of them is in flight.
	maxResetIDs = 512
	// maxEndedIDs limits the remembered streams that ended in another way. They are distinguished from idle streams.
	maxEndedIDs = 64
)

// removeStream removes a stream that is closed in both directions.
func (c *Conn) removeStream(s *Stream) {
	delete(c.streams, s.id)
	c.endedIDs.add(s.id, maxEndedIDs)
	c.closeIfShutDown()
}
