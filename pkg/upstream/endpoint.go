package upstream

import (
	"cmp"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
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
	live       atomic.Pointer[LiveSessions]   // a placeholder until the first session or stream, see countLive
	seats      atomic.Pointer[seats]          // nil until a policy limits the sessions
	idle       atomic.Pointer[idleLists]      // nil until the first idle connection
	http2      atomic.Pointer[sync.Map]       // *Transport -> *http2Conns; nil until the first connection
	flags      flags
	retired    atomic.Bool
}

// flags are booleans that share a word with the number of consecutive failures, because a cluster has many endpoints. It is safe
// for concurrent use.
type flags struct{ bits atomic.Uint32 }

const (
	flagRefusing uint32 = 1 << iota // the last connection attempt failed; counts as full for new sessions
	flagDraining                    // written with Pool.mu locked
	flagFailing                     // failures is not zero, or was when the endpoint could not be ejected
)

// oneFailure is the unit of the failures in flags, and notFailures are the other bits.
const (
	oneFailure  uint32 = 1 << 8
	notFailures        = oneFailure - 1
)

// addFailure sets flagFailing and returns the number of consecutive failures.
func (f *flags) addFailure() int32 {
	f.set(flagFailing, true)
	return int32(f.bits.Add(oneFailure) / oneFailure)
}

func (f *flags) clearFailures() { f.bits.And(notFailures) }

func (f *flags) has(flag uint32) bool { return f.bits.Load()&flag != 0 }

func (f *flags) set(flag uint32, on bool) {
	if on {
		f.bits.Or(flag)
		return
	}
	f.bits.And(^flag)
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
func (e *Endpoint) ConnectFailed() { e.flags.set(flagRefusing, true) }

// ConnectSucceeded reverts ConnectFailed.
func (e *Endpoint) ConnectSucceeded() {
	if e.flags.has(flagRefusing) {
		e.flags.set(flagRefusing, false)
	}
}

// loadUnlessRefusing returns n, or math.MaxInt64 while the endpoint refuses connections.
func (e *Endpoint) loadUnlessRefusing(n int64) int64 {
	if e.flags.has(flagRefusing) {
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
