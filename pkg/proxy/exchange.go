package proxy

import (
	"net/netip"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// downstream is where the answer goes: all that differs between the protocols a client may speak. The body of the request
// comes by a bodySource.
type downstream interface {
	// writeInterim passes a 1xx answer on, if the protocol allows.
	writeInterim(head *http1.Response) error
	// writeHead begins the answer with what exchange.resp says. The framing is the downstream's own affair.
	writeHead(x *exchange) error
	// writeBody writes or collects a span of the answer's body.
	writeBody(span []byte) error
	// flush writes what was collected.
	flush() error
	// end completes the answer.
	end(trailers []http1.Field) error
	// releaseHead lets go of what the request's head points into.
	releaseHead()
	// hasLeft reports whether the client has gone away, as far as that is known.
	hasLeft() bool
}

// exchange carries one request on its way to a pod and back. It is reused: reset makes it ready for another.
type exchange struct {
	*origin
	down     downstream
	source   *bodySource
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
	cookies  int    // of the request that were passed on so far
	answered bool   // the answer's head is on its way to the client
	broken   bool   // the answer could not be completed: the client must see that
	sent     int64
	guard    *guard
	flow     flow // the answer, once it counts as one
	sheds    bool // the head of the request is let go of when the response has begun

	awaitedSince int64 // the server's clock at the first wait for more of the answer, 0 before

	bounds   bounds
	received int64 // bytes of the request's body

	// accept is what a pod must say to be believed that it has switched to a WebSocket, where that is for the exchange
	// to check: nil where the client does.
	accept []byte
	// tunnel is set when the request was answered with 101.
	tunnel *tunnel

	id        []byte // see requestID
	idSpace   [32]byte
	hostSpace [256]byte
	pathSpace []byte
	cookie    []byte // the Set-Cookie of this answer, and space for it
	value     []byte // space for a field value
	edited    []byte // space for what is added to the answer's fields
}

// reset forgets the last request and keeps the memory.
func (x *exchange) reset() {
	x.req.Reset()
	x.resp.Reset()
	x.host, x.path, x.id = nil, nil, nil
	x.table, x.route, x.backend, x.set, x.endpoint = nil, nil, nil, nil, nil
	x.decision = affinity.Decision{}
	x.tried = attempts{}
	x.body.reset()
	x.answered, x.broken, x.sent, x.accept, x.tunnel = false, false, 0, nil, nil
	x.received, x.awaitedSince, x.sheds = 0, 0, false
	x.flow = flow{}
	x.cookie, x.edited = x.cookie[:0], x.edited[:0]
}

// run takes the request, whose head has been read, all the way: match, bind, attempts, answer, record.
func (x *exchange) run() {
	x.start = time.Now()
	x.serve()
	x.record()
}

func (x *exchange) serve() {
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

// noBody reports whether an answer has none, whatever its head says.
func (x *exchange) noBody() bool { return string(x.req.Method) == "HEAD" }

// Header is part of affinity.Request.
func (x *exchange) Header(name string) ([]byte, bool) { return x.req.Lookup(name) }

// CookieHeader is part of affinity.Request.
func (x *exchange) CookieHeader(i int) []byte {
	if i >= len(x.req.Cookies) {
		return nil
	}
	return x.req.Fields[x.req.Cookies[i]].Value
}

// Method is part of affinity.Request.
func (x *exchange) Method() []byte { return x.req.Method }

// Path is part of affinity.Request.
func (x *exchange) Path() []byte { return x.path }

// Query is part of affinity.Request.
func (x *exchange) Query() []byte { return x.req.Query }

// ClientIP is part of affinity.Request.
func (x *exchange) ClientIP() netip.Addr { return x.client }

var (
	_ affinity.Request = (*exchange)(nil)
	_ affinity.Set     = (*upstream.Set)(nil)
)
