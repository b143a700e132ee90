package upstream

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Endpoint is a pod address with everything that is live about it. It stays the same over changes of its Pool as long
// as ID and address do.
type Endpoint struct {
	model.Endpoint // State is that of the Set it is in
	// Label is the pod's name, or else the address, for logs.
	Label string

	*live
}

// live is shared by the Endpoints that stand for one address in successive Sets, whatever their State.
type live struct {
	requests atomic.Int64
	draining bool         // held by the pool
	since    atomic.Int64 // Unix seconds when it became ready or began to drain; 0: ready from the beginning
	refusing atomic.Bool  // the last connection was refused: counts as full for new sessions
	sessions sessions
	gone     atomic.Bool
	idle     [shards]idleList
	http2    sync.Map // *Transport -> *http2Conns, for the few that there are
}

// podName is the identity PodName: the pod's name, or the ID where there is no pod.
func (e *Endpoint) podName() string {
	if e.Pod != "" {
		return e.Pod
	}
	return e.ID
}

// Begin counts a request that is about to be sent to the endpoint. End takes it back.
func (e *Endpoint) Begin() { e.requests.Add(1) }

// End says that a request which was begun is over. With the last one, the connections of an endpoint that is gone end.
func (e *Endpoint) End() {
	if e.requests.Add(-1) == 0 && e.gone.Load() {
		e.leaveHTTP2()
	}
}

// Served remembers that the session was sent to the endpoint.
func (e *Endpoint) Served(session uint64) { e.sessions.add(session) }

// Came notes that the endpoint was given a client that has no session.
func (e *Endpoint) Came() { e.sessions.guests.Add(1) }

// Known takes Came back, for a client that has a session now.
func (e *Endpoint) Known() { e.sessions.guests.Add(-1) }

// Left notes that a session which the endpoint has served was sent elsewhere for good.
func (e *Endpoint) Left() { e.sessions.left.Add(1) }

// Refused notes that no connection could be made: until one can, or a few seconds have passed, new sessions are better
// off elsewhere. Without this, an endpoint that is down would look like the least busy one.
func (e *Endpoint) Refused() { e.refusing.Store(true) }

// Accepted takes Refused back.
func (e *Endpoint) Accepted() {
	if e.refusing.Load() {
		e.refusing.Store(false)
	}
}

// load is n, or the highest load there is while the endpoint refuses connections.
func (e *Endpoint) load(n int64) int64 {
	if e.refusing.Load() {
		return math.MaxInt64
	}
	return n
}

// InFlight is how many requests and streams the endpoint is answering.
func (e *Endpoint) InFlight() int64 { return e.requests.Load() }

// Sessions estimates how many sessions the endpoint has served lately.
func (e *Endpoint) Sessions() int64 { return e.sessions.count() }

// leave closes every idle connection at once, and all others as soon as their exchange ends.
func (e *live) leave() {
	e.gone.Store(true)
	e.closeIdle(farFuture)
	e.leaveHTTP2()
}

// leaveHTTP2 closes the HTTP/2 connections with their last request.
func (e *live) leaveHTTP2() {
	e.http2.Range(func(_, kept any) bool {
		kept.(*http2Conns).leave()
		return true
	})
}

var farFuture = time.Unix(1<<40, 0)
