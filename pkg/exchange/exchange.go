package exchange

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Downstream is where the response goes: all that differs between the protocols that a client may speak. The body of the
// request comes from a BodySource.
type Downstream interface {
	// WriteInterim passes a 1xx response on, if the protocol allows.
	WriteInterim(head *http1.Response) error
	// WriteHead begins the response with the head and the cookie of x. The framing is up to the protocol.
	WriteHead(x *Exchange) error
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

// Exchange carries one request on its way to a pod and back. It is reused: Begin prepares it for
// the next one.
type Exchange struct {
	*Connection
	down     Downstream
	source   *BodySource
	protocol string // for the log
	start    time.Time

	req  http1.Request
	host []byte // for matching: lower case, without port and trailing dot
	path []byte // normalised: what is matched and forwarded

	client   netip.Addr // who the request comes from, as far as trusted proxies say
	table    *routing.Table
	route    *routing.Route
	backend  *routing.Backend
	set      *upstream.Set
	endpoint *upstream.Endpoint // where the attempt in progress, or the last one, went
	decision affinity.Decision
	tried    attempts
	claimed  *upstream.Endpoint // counts the request already

	resp     http1.Response // the answer's head: the pod's, or one made here
	respBody http1.Body
	out      http1.Output // towards the pod
	body     bodyPump
	toHTTP1  http1Upload
	block    []byte // space for a field section
	answered bool   // the answer's head is on its way to the client
	broken   bool   // the answer could not be completed: the client must see that
	sent     int64
	guard    *Guard
	flow     flow // the answer, once it counts as one

	awaitedSince int64 // the engine's clock at the first wait for more of the answer, 0 before

	bounds   bounds
	received int64 // bytes of the request's body

	// accept is what a pod must say to be believed that it has switched to a WebSocket, where that is for the exchange
	// to check: nil where the client does.
	accept []byte
	// tunnel is set when the request was answered with 101.
	tunnel *Tunnel

	id        []byte // see requestID
	idSpace   [32]byte
	hostSpace [256]byte
	pathSpace []byte
	cookie    []byte // the Set-Cookie of this answer, and space for it
	value     []byte // space for a field value
	edited    []byte // space for what is added to the answer's fields
}

// Begin prepares x for the next request of a connection, and keeps the memory of the last one. guard is that of the goroutine
// that calls Run; protocol is for the access log.
func (x *Exchange) Begin(c *Connection, guard *Guard, source *BodySource, down Downstream, protocol string) {
	x.reset()
	x.Connection, x.guard, x.source, x.down = c, guard, source, down
	x.client, x.protocol, x.bounds = c.Peer, protocol, c.Engine.usual
}

func (x *Exchange) reset() {
	x.req.Reset()
	x.resp.Reset()
	x.host, x.path, x.id = nil, nil, nil
	x.table, x.route, x.backend, x.set, x.endpoint = nil, nil, nil, nil, nil
	x.decision = affinity.Decision{}
	x.tried = attempts{}
	x.body.reset()
	x.answered, x.broken, x.sent, x.accept, x.tunnel = false, false, 0, nil, nil
	x.received, x.awaitedSince = 0, 0
	x.flow = flow{}
	x.cookie, x.edited = x.cookie[:0], x.edited[:0]
}

// Release gives back the buffers of a request that has been served, and forgets its connection.
func (x *Exchange) Release() {
	x.out.Drop()
	x.respBody.Reset()
	x.Connection, x.guard, x.source = nil, nil, nil
}

// Request returns the head of the request, which the caller fills in before Run.
func (x *Exchange) Request() *http1.Request { return &x.req }

// Response returns the head of the response: the pod's, or one made here.
func (x *Exchange) Response() *http1.Response { return &x.resp }

// SetCookie returns the value of the Set-Cookie field that carries the token, empty for none. It is not among the fields of
// Response.
func (x *Exchange) SetCookie() []byte { return x.cookie }

// Tunnel returns the pod's side of the connection after a 101 response, otherwise nil.
func (x *Exchange) Tunnel() *Tunnel { return x.tunnel }

// Broken reports whether the response could not be completed, which the client must be able to see.
func (x *Exchange) Broken() bool { return x.broken }

// OmitsBody reports whether the response has no body, whatever its head says.
func (x *Exchange) OmitsBody() bool { return string(x.req.Method) == http.MethodHead }

// Upload reports whether the request's body is being sent to a pod by a goroutine of its own, and whether that has read all of
// it from the client.
func (x *Exchange) Upload() (running, read bool) { return x.body.isRunning(), x.body.isRead() }

// Run takes the request, whose head has been read, from match to the access record.
func (x *Exchange) Run() {
	x.start = time.Now()
	x.serve()
	x.record()
}

func (x *Exchange) serve() {
	x.client = x.clientAddress()
	if !x.match() {
		return
	}
	if !x.bind() {
		return
	}
	x.attempt()
	x.endReplay()
}

// Header is part of affinity.Request.
func (x *Exchange) Header(name string) ([]byte, bool) { return x.req.Lookup(name) }

// CookieHeader is part of affinity.Request.
func (x *Exchange) CookieHeader(i int) []byte {
	if i >= len(x.req.Cookies) {
		return nil
	}
	return x.req.Fields[x.req.Cookies[i]].Value
}

// Method is part of affinity.Request.
func (x *Exchange) Method() []byte { return x.req.Method }

// Path is part of affinity.Request.
func (x *Exchange) Path() []byte { return x.path }

// Query is part of affinity.Request.
func (x *Exchange) Query() []byte { return x.req.Query }

// ClientIP is part of affinity.Request.
func (x *Exchange) ClientIP() netip.Addr { return x.client }

var (
	_ affinity.Request = (*Exchange)(nil)
	_ affinity.Set     = (*upstream.Set)(nil)
)
