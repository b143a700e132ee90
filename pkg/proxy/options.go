package proxy

import (
	"net/netip"
	"time"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/certs"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/memory"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Options are what a Server is made of. All fields are required but those that say otherwise.
type Options struct {
	// Tables holds the routing table; while it holds none, requests are answered with 503.
	Tables *routing.Store
	// Keys holds the keys that tokens are sealed and opened with.
	Keys *affinity.Keys
	// Sessions is where learned sessions are kept. May be nil: none are.
	Sessions affinity.Store
	// Certs is asked by the TLS listener.
	Certs   *certs.Store
	TLS     TLSOptions
	Metrics *observe.Metrics
	// AccessLog may be nil: no access log.
	AccessLog *observe.AccessLog
	// TrustedProxies are the peers whose X-Forwarded-* and Forwarded fields are believed. None by default.
	TrustedProxies []netip.Prefix
	// ProxyProtocol are the peers that begin every connection with a header of the PROXY protocol. What it says is
	// believed from nobody else. None by default.
	ProxyProtocol []netip.Prefix
	// Connections bounds the connections of clients. No bound where it is 0.
	Connections ConnectionLimits
	// ClientHeaders are where trusted proxies say who the client is: FieldXForwardedFor, FieldForwarded or FieldXRealIP.
	// The first one that a request has counts, so that only what those proxies set themselves belongs here.
	ClientHeaders []http1.FieldID
	// ServerHeader is the Server of answers whose pod names none. May be empty: they have none.
	ServerHeader string
	Limits       http1.Limits
	// MaxBodyBytes is the longest body of a request, 0 for any. Beyond: 413.
	MaxBodyBytes int64
	// MaxAttempts is how often a request is tried in all.
	MaxAttempts int
	Timeouts    Timeouts
	// Own is where no request is sent, although an endpoint or a name leads there. May be nil: no listener is known.
	Own *upstream.Own
	// Memory is what all clients together may make the process hold. May be nil: no bound.
	Memory *memory.Budget
	Log    logr.Logger

	// The usual ones, but in tests.
	budget    http2.Budget // of a client
	podBudget http2.Budget
	lastsFrom time.Duration
}

// DefaultAttempts is enough to get past pods that are being replaced, and too few to carry a request that kills pods to
// all of them.
const DefaultAttempts = 5

// Timeouts are how long the data plane waits. They are kept to within sweepEvery.
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
	// Answer is the longest gap between two reads of a pod's answer. It is also the wait for its head.
	Answer time.Duration
}

// DefaultTimeouts are those of ingress-nginx where it has the same, so that its users see what they know.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Head:   10 * time.Second,
		Idle:   75 * time.Second,
		Body:   60 * time.Second,
		Dial:   5 * time.Second,
		Answer: 60 * time.Second,
	}
}
