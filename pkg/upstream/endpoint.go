package upstream

import (
	"cmp"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/sketch"
)

// Endpoint is a pod address with its live state. The state is kept when its Pool changes, as long as ID and address
// stay the same.
type Endpoint struct {
	model.Endpoint // State is its state in this Set

	*endpointState
}

// endpointState is the state that successive Sets share for one endpoint, in any model.EndpointState.
type endpointState struct {
	requests   atomic.Int64
	latency    latency                        // measured only for policies that read it
	stateSince atomic.Int64                   // Unix seconds when it became ready or draining; zero if it was ready from the start
	sessions   atomic.Pointer[sessionCounter] // nil until the first request, see countSessions
	live       atomic.Pointer[LiveSessions]   // nil until the first session
	liveBudget *sketch.Budget                 // immutable; bounds live
	streams    atomic.Int64                   // requests that are long streams
	seats      atomic.Pointer[seats]          // nil until a policy limits the sessions
	idle       atomic.Pointer[idleLists]      // nil until the first idle connection
	http2      atomic.Pointer[sync.Map]       // *Transport -> *http2Conns; nil until the first connection
	refusing   atomic.Bool                    // the last connection attempt failed; counts as full for new sessions
	retired    atomic.Bool
	draining   atomic.Bool // written with Pool.mu locked
}

// Label returns the pod's name, or the address if there is no pod. It is used in logs.
func (e *Endpoint) Label() string { return cmp.Or(e.Pod, e.Address) }

// podName returns the pod's name, or the ID if there is no pod. It is the identity for model.IdentityPodName.
func (e *Endpoint) podName() string {
	if e.Pod != "" {
		return e.Pod
	}
	return e.ID
}

// BeginRequest counts an active request. Each call must be paired with a call of EndRequest.
func (e *Endpoint) BeginRequest() { e.requests.Add(1) }

// EndRequest ends a request that BeginRequest counted. The last request of a removed endpoint closes its connections.
func (e *Endpoint) EndRequest() {
	if e.requests.Add(-1) == 0 && e.retired.Load() {
		e.retireHTTP2()
	}
}

// BeginStream records that an active request is a long stream. Each call must be paired with a call of EndStream.
func (e *Endpoint) BeginStream() { e.streams.Add(1) }

// EndStream ends a stream that BeginStream recorded.
func (e *Endpoint) EndStream() { e.streams.Add(-1) }

// Streams returns the number of long streams among the active requests.
func (e *Endpoint) Streams() int64 { return e.streams.Load() }

// SessionServed records that the endpoint serves the session. It reports whether the session was unknown to this replica.
func (e *Endpoint) SessionServed(session uint64) (unknown bool) {
	return e.countSessions().add(session)
}

// AddAnonymous counts a request of a client without a session.
func (e *Endpoint) AddAnonymous() { e.countSessions().anonymous.Add(1) }

// RemoveAnonymous reverts AddAnonymous, for a client that has a session now.
func (e *Endpoint) RemoveAnonymous() { e.countSessions().anonymous.Add(-1) }

// SessionMoved records that a session of this endpoint has moved to another one permanently.
func (e *Endpoint) SessionMoved() { e.countSessions().moved.Add(1) }

// ConnectFailed records that no connection could be opened. New sessions avoid the endpoint until a connection
// succeeds or a few seconds have passed. Otherwise an unavailable endpoint would have the lowest load.
func (e *Endpoint) ConnectFailed() { e.refusing.Store(true) }

// ConnectSucceeded reverts ConnectFailed.
func (e *Endpoint) ConnectSucceeded() {
	if e.refusing.Load() {
		e.refusing.Store(false)
	}
}

// loadUnlessRefusing returns n, or math.MaxInt64 while the endpoint refuses connections.
func (e *Endpoint) loadUnlessRefusing(n int64) int64 {
	if e.refusing.Load() {
		return math.MaxInt64
	}
	return n
}

// InFlight returns the number of active requests and streams.
func (e *Endpoint) InFlight() int64 { return e.requests.Load() }

// Sessions returns the number of sessions of the endpoint. It estimates those that it served recently, unless a policy limits
// the sessions.
func (e *Endpoint) Sessions() int64 {
	s := e.seats.Load()
	if s == nil {
		return e.sessions.Load().count()
	}
	if now := time.Now().Unix(); s.isUsed(now) {
		return s.count(now)
	}
	return e.sessions.Load().count()
}

// retire closes every idle connection immediately and the other connections after their current exchange.
func (e *endpointState) retire() {
	e.retired.Store(true)
	e.closeIdle(farFuture)
	e.retireHTTP2()
}

// retireHTTP2 closes each HTTP/2 connection after its last stream.
func (e *endpointState) retireHTTP2() {
	e.eachHTTP2((*http2Conns).retire)
}

// eachHTTP2 calls f for the HTTP/2 connections of each Transport.
func (e *endpointState) eachHTTP2(f func(*http2Conns)) {
	known := e.http2.Load()
	if known == nil {
		return
	}
	known.Range(func(_, kept any) bool {
		f(kept.(*http2Conns))
		return true
	})
}

var farFuture = time.Unix(1<<40, 0)
