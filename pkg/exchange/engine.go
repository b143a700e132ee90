package exchange

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/certs"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/memory"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/subrequest"
	"github.com/limpet-dev/limpet/pkg/tracing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Config configures an Engine. All fields are required unless their comment says otherwise.
type Config struct {
	// Tables holds the routing table. Without a table, every request gets a 503 response.
	Tables *routing.Store
	// Keys holds the keys that seal and open tokens.
	Keys *affinity.Keys
	// Sessions stores learned sessions. Nil disables them.
	Sessions affinity.Store
	// Certs lists the hosts that certificates cover.
	Certs   *certs.Store
	Metrics *observe.Metrics
	// AccessLog receives one entry per request. Nil disables it.
	AccessLog *observe.AccessLog
	// Tracer exports spans. Nil disables tracing: then trace contexts are forwarded like other fields.
	Tracer *tracing.Tracer
	Log    logr.Logger

	// TrustedProxies are the peers whose X-Forwarded-* and Forwarded fields are believed. Nil trusts none.
	TrustedProxies []netip.Prefix
	// ClientHeaders are the headers in which trusted proxies name the client: FieldXForwardedFor, FieldForwarded or
	// FieldXRealIP. The first one that a request has is used, so list only headers that the proxies set themselves.
	ClientHeaders []http1.FieldID
	// ServerHeader is the Server field of responses whose pod sets none. Empty adds none.
	ServerHeader string
	// Via is the name of this proxy in the Via field of requests to pods. Empty adds no Via.
	Via string

	Limits http1.Limits
	// MaxBodyBytes limits the body of a request. A longer body gets a 413 response. Zero means no limit.
	MaxBodyBytes int64
	// MaxAttempts limits the attempts of a request, including the first.
	MaxAttempts int
	Timeouts    Timeouts
	// LongStreamAfter is the duration after which a response counts as a stream. Zero means 10 seconds.
	LongStreamAfter time.Duration
	// PodBudget limits what pods may do to their HTTP/2 connections. Zero means a limit far above honest use.
	PodBudget http2.Budget
	// LimitStore is where replicas share the limits of clients. Nil makes each replica limit its own requests.
	LimitStore filter.LimitStore
	// Own lists Limpet's own listeners. No request is forwarded to them. Nil lists none.
	Own *upstream.SelfAddresses
	// Memory limits the memory that all clients together may occupy. Nil sets no limit.
	Memory *memory.Budget
}

// DefaultAttempts is enough to get past pods that are being replaced, but does not carry a request that crashes pods to all
// of them.
const DefaultAttempts = 5

// Timeouts limits the waits of the data plane. They are accurate to within Resolution.
type Timeouts struct {
	// Head limits the time from the first byte of a request to the end of its head. The default is longer than a slow phone
	// needs, and short enough to limit slowloris attacks.
	Head time.Duration
	// Idle limits the time that a connection is kept open without a request. The default is longer than the 60 s after which
	// cloud load balancers close idle connections, so that they never reuse one that Limpet is closing.
	Idle time.Duration
	// Body limits the gap between two reads of a request's body, and between two writes to a client that does not read.
	Body time.Duration
	// Dial limits the time to connect to a pod.
	Dial time.Duration
	// Response limits the gap between two reads of a pod's response, including the wait for its head.
	Response time.Duration
	// Passthrough limits the time without data on a TLS connection that is passed through. The connection ends at the latest after
	// twice that time. The default is longer than applications leave a connection idle that they still use.
	Passthrough time.Duration
}

// DefaultTimeouts returns the default timeouts. They are equal to those of ingress-nginx if it has the same timeout.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Head:     10 * time.Second,
		Idle:     75 * time.Second,
		Body:     60 * time.Second,
		Dial:     5 * time.Second,
		Response: 60 * time.Second,

		Passthrough: time.Hour,
	}
}

// Resolution is the interval at which the owner of an Engine calls Tick and sweeps its guards. All timeouts are accurate to
// within it.
const Resolution = 100 * time.Millisecond

// Engine holds what all exchanges share, independent of the clients' protocols. It is safe for concurrent use.
//
// It starts no goroutine: its owner calls Tick every Resolution.
type Engine struct {
	Config
	// LongStreams tracks the streams in progress, so that the owner can close them on shutdown.
	LongStreams LongStreams
	// AdvertiseHTTP3 makes responses over TLS advertise HTTP/3 (Alt-Svc).
	AdvertiseHTTP3 atomic.Bool

	// credentials is the state of authentication of all routes.
	credentials *filter.Credentials

	dialer        upstream.Dialer
	cancelDials   context.CancelFunc // cancels dialer.Context
	defaultLimits filter.Limits      // for routes without limits of their own
	// filters run on every response.
	filters filter.Chain
	// subrequests sends the requests that filters need, and shared is what filters have of it.
	subrequests *subrequest.Client
	shared      filter.Shared
	// mistakes are the objects that responses have shown to be likely mistakes.
	mistakes mistakes

	clock atomic.Int64           // milliseconds since start
	date  atomic.Pointer[[]byte] // the current value of the Date field; replaced once per second
}

// NewEngine returns an Engine whose clock is at 1.
func NewEngine(c Config) *Engine {
	c.LongStreamAfter = cmp.Or(c.LongStreamAfter, defaultLongStreamAfter)
	e := &Engine{Config: c, defaultLimits: newDefaultLimits(&c)}
	e.dialer = upstream.Dialer{
		Dialer: net.Dialer{Timeout: c.Timeouts.Dial}, Limits: c.Limits, Budget: cmp.Or(c.PodBudget, defaultPodBudget),
		Self: c.Own,
	}
	e.dialer.Context, e.cancelDials = context.WithCancel(context.Background())
	e.subrequests = subrequest.New(subrequest.Options{Self: c.Own, Count: c.Metrics.Subrequest})
	dropped := func() { c.Metrics.Subrequest(filter.PurposeMirror, "dropped") }
	e.shared = filter.Shared{
		Subrequests: e.subrequests, Decisions: &filter.AuthCache{}, Copies: filter.NewCopies(e.subrequests, dropped),
	}
	if c.LimitStore != nil {
		e.shared.Limits = filter.NewSharedLimits(c.LimitStore, c.Log.WithName("limits"))
		go e.shared.Limits.Run(e.dialer.Context)
	}
	e.credentials = filter.NewCredentials(c.Keys.Derived("digest nonces"))
	e.filters.Add(filter.AltSvc{On: &e.AdvertiseHTTP3})
	e.LongStreams.metrics = c.Metrics
	e.Tick(1, time.Now())
	return e
}

func newDefaultLimits(c *Config) filter.Limits {
	l := filter.Limits{
		ResponseTimeout: c.Timeouts.Response, ConnectTimeout: c.Timeouts.Dial, BodyTimeout: c.Timeouts.Body,
		BodyBytes: c.MaxBodyBytes, Attempts: c.MaxAttempts,
	}
	if l.BodyBytes == 0 {
		l.BodyBytes = math.MaxInt64
	}
	return l
}

// CancelDials cancels the dials to pods and the requests of filters that are in progress, and makes all later ones fail.
func (e *Engine) CancelDials() {
	e.cancelDials()
	e.subrequests.Close()
}

// Tick sets the clock, in milliseconds since start, and the Date field of responses.
func (e *Engine) Tick(clock int64, now time.Time) {
	e.clock.Store(clock)
	var space [len(http.TimeFormat)]byte
	text := now.UTC().AppendFormat(space[:0], http.TimeFormat)
	if last := e.date.Load(); last == nil || !bytes.Equal(*last, text) {
		text = bytes.Clone(text)
		e.date.Store(&text)
	}
}

// Clock returns the current time of the engine in milliseconds since start. Guards use this clock.
func (e *Engine) Clock() int64 { return e.clock.Load() }

// After returns the time on the engine's clock after d has passed.
func (e *Engine) After(d time.Duration) int64 { return e.clock.Load() + d.Milliseconds() }

// Date returns the current value of the Date field. Callers must not modify it.
func (e *Engine) Date() []byte { return *e.date.Load() }

// Trusts reports whether addr is a trusted proxy.
func (e *Engine) Trusts(addr netip.Addr) bool {
	for _, prefix := range e.TrustedProxies {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
