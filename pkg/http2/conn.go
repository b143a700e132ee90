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

// Options say what one side of connections allows the other. They are shared, and do not change.
type Options struct {
	// Streams is how many the peer may have open at once: none, where it is asked and does not ask.
	Streams int
	// Requests is how many it may open in all, before it is told to go elsewhere. No bound where it is 0.
	Requests int
	// StreamWindow and ConnectionWindow are how many bytes of bodies may be on their way or wait to be read.
	StreamWindow, ConnectionWindow int
	// HeadBytes, Fields and TrailerBytes bound field sections, as RFC 9113 section 6.5.2 measures them.
	HeadBytes, Fields, TrailerBytes int
	// ExtendedConnect lets clients ask for WebSockets (RFC 8441).
	ExtendedConnect bool
	Budget          Budget
	// Clock gives milliseconds, for the budget.
	Clock func() int64
}

// Conn is one connection. Its methods are safe for concurrent use, except Serve, which is called once.
type Conn struct {
	options *Options
	socket  *http1.Conn
	w       io.Writer     // where the bytes for the socket go
	handle  func(*Stream) // called for each stream of the peer; nil on the side that asks
	recv    recvState
	account *memory.Account // of what the peer makes this side hold; nil without a bound

	mu               sync.Mutex
	streams          map[uint32]*Stream // that are open in one direction at least
	requestsReceived int                // by the peer
	workers          workers
	owned            int    // streams of the peer whose owner has not let go
	maxPeerID        uint32 // the highest that the peer has opened
	nextID           uint32 // that is opened from here
	peer             peerSettings
	sendWindow       int64
	recvWindow       int64
	pendingCredit    int       // bytes that were taken, and not given back to the peer's window yet
	resetIDs         recentIDs // from here: the peer may not know yet, and go on (RFC 9113 section 5.1)
	endedIDs         recentIDs // in any other way
	replies          int       // frames in out that answer the peer's own

	out           *output
	outputSeq     uint32    // how often out was taken to be written
	writing       bool      // a goroutine for that exists
	sendQueue     []*Stream // that wait for the window of the connection, or for room in out
	sender        *Stream   // whose turn it is
	tableSizeSent bool      // that we keep no dynamic table
	outputChanged sync.Cond // some of out was taken, or all of it was written

	settingsReceived  chan struct{} // closed once the peer's settings have come, or nothing more will; nil on the side that is asked
	idleSince         time.Time     // when the side that asks had its last stream
	framesAtLastCheck uint32        // frames that had come when Tidy last looked
	pingSent          bool          // the peer, whether it is there
	pingSentAt        uint32        // next, when that was

	shutdown       shutdownState
	goAwaySentAt   int64  // the clock when that began
	lastAcceptedID uint32 // of the peer's streams, once we have left
	noNewStreams   bool   // the peer has said goodbye
	err            error  // why nothing more can be done
}

// inbound belongs to the goroutine that reads.
type recvState struct {
	decoder                    *hpack.Decoder
	section                    section
	spill                      spill
	resetLimiter, emptyLimiter RateLimiter
	framesReceived             atomic.Uint32 // that have come
}

// recent are the last streams of some kind, up to some number.
type recentIDs struct {
	ids  []uint32
	next int
}

func (r *recentIDs) add(id uint32, max int) {
	if len(r.ids) < max {
		r.ids = append(r.ids, id)
		return
	}
	r.ids[r.next%max] = id
	r.next++
}

func (r *recentIDs) has(id uint32) bool { return slices.Contains(r.ids, id) }

// NewServer makes the side that is asked. What it says is written to w, which is socket, or something before it that knows
// how long a write may take. Each request is handed to handle, in a goroutine of its own, which must Close
// the stream in the end.
func NewServer(socket *http1.Conn, w io.Writer, o *Options, handle func(*Stream)) *Conn {
	c := newConn(socket, w, o)
	c.handle = handle
	c.collect(o.appendSettings(c.output(), false))
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
	c.recv.decoder.SetMaxStringLength(o.maxEncodedSection()) // beyond it the connection ends
	return c
}

// tableSize is that of the peer's dynamic table, which is the default (RFC 9113 section 6.5.2).
const tableSize = 4096

func (c *Conn) isServer() bool { return c.handle != nil }

// isIdle reports whether a stream of that id was never opened.
func (c *Conn) isIdle(id uint32) bool {
	if c.isServer() {
		return id > c.maxPeerID || id%2 == 0
	}
	return id >= c.nextID || id%2 == 0
}

// fail ends the connection and everything on it, and says why to a peer that broke the protocol. It returns when that is
// written. The socket is not closed.
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
	if connErr, ok := err.(*ConnError); ok { //nolint:errorlint // made here, and not wrapped
		last := c.maxPeerID
		if c.shutdown == goAwayFinal {
			last = c.lastAcceptedID // the peer may have sent what is above it elsewhere
		}
		c.collect(appendGoAway(c.output(), last, connErr.Code))
	}
	c.flush()
	c.err = err
	c.markSettingsReceived()
	c.workers.stopOldest(len(c.workers.idle))
	if errors.Is(err, io.EOF) { // which is the end of a body to those who read one
		err = io.ErrUnexpectedEOF
	}
	for id, s := range c.streams {
		s.failLocked(err)
		delete(c.streams, id)
	}
}

// Err is why nothing more can be done on the connection, nil while that can.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

const (
	// mostReset is how many streams that were reset from here are known. All that are open may be reset at once, when a pod
	// goes, with DATA of each on its way.
	maxResetIDs = 512
	// mostEnded is how many that have ended otherwise are told apart from those that were never opened.
	maxEndedIDs = 64
)

// remove forgets a stream that has ended both ways.
func (c *Conn) removeStream(s *Stream) {
	delete(c.streams, s.id)
	c.endedIDs.add(s.id, maxEndedIDs)
	c.closeIfShutDown()
}
