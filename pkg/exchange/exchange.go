package exchange

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Downstream is where the response goes: all that differs between the protocols that a client may speak. The body of the
// request comes from a BodySource.
type Downstream interface {
	// WriteInterim passes a 1xx response on, if the protocol allows.
	WriteInterim(head *http1.Response) error
	// WriteHead begins the response. The framing is up to the protocol.
	WriteHead(head *Response) error
	// WriteBody writes or collects a span of the response's body.
	WriteBody(span []byte) error
	// Flush writes what was collected.
	Flush() error
	// End completes the response.
	End(trailers []http1.Field) error
	// ReleaseHead releases what the request's head points into.
	ReleaseHead()
	// HasLeft reports whether the client has gone away, as far as that is known.
	HasLeft() bool
}

// Response is the head of a response on its way to the client: the pod's, or one that Limpet makes.
type Response struct {
	http1.Response
	// SetCookie is the value of the Set-Cookie field that carries the token, empty for none. It is not among Fields.
	SetCookie []byte

	space []byte // for values that are added to Fields
}

// Reset prepares r for the next response, and keeps its memory.
func (r *Response) Reset() {
	r.Response.Reset()
	r.SetCookie, r.space = r.SetCookie[:0], r.space[:0]
}

// Exchange carries one request to a pod and its response back. It is reused: Begin prepares it for the next request.
type Exchange struct {
	request   // what was asked, and by whom
	selection // where it goes

	// Set by Begin. The exchange runs on the goroutine that guard belongs to.
	down     Downstream
	source   *BodySource
	guard    *Guard
	protocol string // for the log

	// The attempts at pods. body and received are shared with the goroutine that sends the body.
	endpoint *upstream.Endpoint // where the attempt in progress, or the last one, went
	claimed  *upstream.Endpoint // counts the request already
	tried    attempts
	head     podHead
	out      http1.Output // towards the pod
	block    []byte       // space for a field section
	body     bodyPump
	toHTTP1  http1Upload
	received int64 // bytes of the request's body
	// accept is what a pod must say to be believed that it has switched to a WebSocket, where that is for the exchange
	// to check: nil where the client does.
	accept []byte

	// The response.
	resp         Response
	respBody     http1.Body
	answered     bool // its head is on its way to the client
	broken       bool // it could not be completed: the client must see that
	sent         int64
	awaitedSince int64   // the engine's clock at the first wait for more of it, 0 before
	flow         flow    // it, once it counts as a stream
	sheds        bool    // the head of the request is released when it has begun
	tunnel       *Tunnel // set after a 101 response
}

// Begin prepares x for the next request of a connection, and keeps the memory of the last one. guard is that of the goroutine
// that calls Run; protocol is for the access log.
func (x *Exchange) Begin(c *Connection, guard *Guard, source *BodySource, down Downstream, protocol string) {
	x.request.begin(c)
	x.selection.reset()
	x.guard, x.source, x.down, x.protocol = guard, source, down, protocol
	x.endpoint, x.claimed, x.tried = nil, nil, attempts{}
	x.head.request, x.head.selection = &x.request, &x.selection
	x.body.reset()
	x.received, x.accept = 0, nil
	x.resp.Reset()
	x.answered, x.broken, x.sent, x.awaitedSince = false, false, 0, 0
	x.flow, x.tunnel, x.sheds = flow{}, nil, false
}

// Release gives back the buffers of a request that has been served, and forgets its connection.
func (x *Exchange) Release() {
	x.out.Drop()
	x.respBody.Reset()
	x.body.reset()
	x.trim()
	x.Connection, x.guard, x.source, x.view.TLS = nil, nil, nil, nil
}

// Request returns the head of the request, which the caller fills in before Run.
func (x *Exchange) Request() *http1.Request { return &x.req }

// Response returns the head of the response.
func (x *Exchange) Response() *Response { return &x.resp }

// Tunnel returns the pod's side of the connection after a 101 response, otherwise nil.
func (x *Exchange) Tunnel() *Tunnel { return x.tunnel }

// IsStream reports whether the response has become a stream: then x holds neither heads nor buffers while it waits.
func (x *Exchange) IsStream() bool { return x.flow.pod != nil }

// Broken reports whether the response could not be completed, which the client must be able to see.
func (x *Exchange) Broken() bool { return x.broken }

// Upload reports whether the request's body is being sent to a pod by a goroutine of its own, and whether that has read all of
// it from the client.
func (x *Exchange) Upload() (running, read bool) { return x.body.isRunning(), x.body.isRead() }

// Run takes the request, whose head has been read, from match to the access record.
func (x *Exchange) Run() {
	x.start = time.Now()
	x.serve()
	x.record()
}

// serve takes the request through the steps. Each of the first four returns nil to go on, or the response to send instead.
// attempt passes the response of a pod on, and runs the response filters before that.
func (x *Exchange) serve() {
	own := x.match(&x.request)
	if own == nil {
		own = x.filterRequest(&x.request)
	}
	if own != nil && own.Close {
		x.Engine.Metrics.Malformed.Inc()
	}
	if own == nil {
		own = x.split(&x.request)
	}
	if own == nil {
		own = x.bind()
	}
	if own != nil {
		x.respond(own)
		return
	}
	x.attempt()
	x.endReplay()
}

var _ affinity.Set = (*upstream.Set)(nil)
