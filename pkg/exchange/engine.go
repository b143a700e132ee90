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
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Config is what an Engine is made of. All fields are required unless their comment says otherwise.
type Config struct {
	// Tables holds the routing table. While it holds none, every request gets a 503 response.
	Tables *routing.Store
	// Keys holds the keys that tokens are sealed and opened with.
	Keys *affinity.Keys
	// Sessions keeps learned sessions. Nil keeps none.
	Sessions affinity.Store
	// Certs says which hosts a certificate covers.
	Certs   *certs.Store
	Metrics *observe.Metrics
	// AccessLog may be nil for no access log.
	AccessLog *observe.AccessLog
	Log       logr.Logger

	// TrustedProxies are the peers whose X-Forwarded-* and Forwarded fields are believed. Nil trusts none.
	TrustedProxies []netip.Prefix
	// ClientHeaders are where trusted proxies name the client: FieldXForwardedFor, FieldForwarded or FieldXRealIP. The
	// first one that a request has counts, so list only fields that the proxies set themselves.
	ClientHeaders []http1.FieldID
	// ServerHeader is the Server field of responses whose pod sets none. Empty adds none.
	ServerHeader string

	Limits http1.Limits
	// MaxBodyBytes is the longest body of a request. Zero means no limit. Beyond it the response is 413.
	MaxBodyBytes int64
	// MaxAttempts is how often a request is tried in all.
	MaxAttempts int
	Timeouts    Timeouts
	// StreamsFrom is how long a response goes on before it counts as a stream. Zero means 10 seconds.
	StreamsFrom time.Duration
	// PodBudget bounds what a pod may do to its HTTP/2 connections. The zero value is a bound far above what pods do.
	PodBudget http2.Budget
	// Own is where no request is sent, even if an endpoint or a name leads there. Nil knows no listener.
	Own *upstream.Own
	// Memory is what all clients together may make the process hold. Nil sets no limit.
	Memory *memory.Budget
}

// DefaultAttempts is enough to get past pods that are being replaced, and too few to carry a request that kills pods to
// all of them.
const DefaultAttempts = 5

// Timeouts are how long the data plane waits. They are kept to within Resolution.
type Timeouts struct {
	// Head is from the first byte of a request to the end of its head. Longer than a slow phone takes, and too short
	// to hold many connections with little effort (slowloris).
	Head time.Duration
	// Idle is how long a connection is kept without a request: longer than the 60 s after which cloud load balancers
	// give theirs up, so that they never send into a closing one.
	Idle time.Duration
	// Body is the longest gap between two reads of a request's body, or two writes to a client that does not read.
	Body time.Duration
	// Dial is how long connecting to a pod may take.
	Dial time.Duration
	// Response is the longest gap between two reads of a pod's response. It is also the wait for its head.
	Response time.Duration
}

// DefaultTimeouts returns those of ingress-nginx where it has the same, so that its users see what they know.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Head:     10 * time.Second,
		Idle:     75 * time.Second,
		Body:     60 * time.Second,
		Dial:     5 * time.Second,
		Response: 60 * time.Second,
	}
}

// Resolution is how often the owner of an Engine calls Tick and sweeps its guards, and so the resolution of all timeouts.
const Resolution = 100 * time.Millisecond

// Engine is what all exchanges share, whatever protocol their clients speak. It is safe for concurrent use.
//
// It starts no goroutine: its owner calls Tick every Resolution.
type Engine struct {
	Config
	// Flows are the streams in progress, for their owner to close on shutdown.
	Flows Flows
	// AdvertiseHTTP3 says that responses over TLS tell clients of HTTP/3.
	AdvertiseHTTP3 atomic.Bool

	dialer   upstream.Dialer
	endDials context.CancelFunc // of the dialer
	usual    filter.Limits      // of requests whose route says nothing else
	// filters run on every response.
	filters filter.Chain

	clock atomic.Int64           // milliseconds since start
	date  atomic.Pointer[[]byte] // of this second, as in Date
}

// NewEngine returns an Engine whose clock shows 1.
func NewEngine(c Config) *Engine {
	c.StreamsFrom = cmp.Or(c.StreamsFrom, usualStreamsFrom)
	e := &Engine{Config: c, usual: usualLimits(&c)}
	e.dialer = upstream.Dialer{
		Dialer: net.Dialer{Timeout: c.Timeouts.Dial}, Limits: c.Limits, Budget: cmp.Or(c.PodBudget, usualPodBudget),
		Own: c.Own,
	}
	e.dialer.Context, e.endDials = context.WithCancel(context.Background())
	e.filters.Add(filter.AltSvc{On: &e.AdvertiseHTTP3})
	e.Flows.metrics = c.Metrics
	e.Tick(1, time.Now())
	return e
}

func usualLimits(c *Config) filter.Limits {
	l := filter.Limits{
		ResponseTimeout: c.Timeouts.Response, ConnectTimeout: c.Timeouts.Dial, BodyTimeout: c.Timeouts.Body,
		BodyBytes: c.MaxBodyBytes, Attempts: c.MaxAttempts,
	}
	if l.BodyBytes == 0 {
		l.BodyBytes = math.MaxInt64
	}
	return l
}

// EndDials ends the dials to pods that are in progress, and all later ones at once.
func (e *Engine) EndDials() { e.endDials() }

// Tick sets the clock, in milliseconds since start, and the date of responses.
func (e *Engine) Tick(clock int64, now time.Time) {
	e.clock.Store(clock)
	var space [len(http.TimeFormat)]byte
	text := now.UTC().AppendFormat(space[:0], http.TimeFormat)
	if last := e.date.Load(); last == nil || !bytes.Equal(*last, text) {
		text = bytes.Clone(text)
		e.date.Store(&text)
	}
}

// Clock returns the clock that the times of guards refer to, in milliseconds since start.
func (e *Engine) Clock() int64 { return e.clock.Load() }

// After returns what the clock shows when d will have passed.
func (e *Engine) After(d time.Duration) int64 { return e.clock.Load() + d.Milliseconds() }

// Date returns the current value of the Date field. Callers must not modify it.
func (e *Engine) Date() []byte { return *e.date.Load() }

// Trusts reports whether what addr says about clients is believed.
func (e *Engine) Trusts(addr netip.Addr) bool {
	for _, prefix := range e.TrustedProxies {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
