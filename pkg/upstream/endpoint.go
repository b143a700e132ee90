package upstream

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// shards is how many lists the idle connections of an endpoint are kept in, so that cores do not fight for one lock.
const shards = 8

// maxIdlePerShard bounds the idle connections of an endpoint: 8 x 32, which one HTTP/2 connection may need alone.
const maxIdlePerShard = 32

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

// idleList is one shard of idle connections, newest last.
type idleList struct {
	mu    sync.Mutex
	conns []*Conn
	_     [88]byte // two cache lines: neighbours do not share one
}

// Conn is a connection to an endpoint. It is owned by one request at a time.
type Conn struct {
	*http1.Conn
	// Reused says that the connection has carried a request before: its peer may have closed it meanwhile.
	Reused    bool
	transport *Transport
	idleFrom  time.Time
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

// Idle takes the idle connection of that transport that was used last, or returns nil. The shard is any number that the
// caller keeps, so that the same callers meet the same connections. Those that their peer has closed are dropped, and
// those on which it has sent anything meanwhile: that would pass for the answer to the next request, which may be another
// client's. If the caller asks at once, that is left to Ask, which looks at the last moment (see http1.Conn.Doubt). If it may
// ask at once, Ask looks once more.
func (e *Endpoint) Idle(shard uint32, t *Transport, asks bool) *Conn {
	for i := range uint32(shards) {
		list := &e.idle[(shard+i)%shards]
		for conn := list.pop(t); conn != nil; conn = list.pop(t) {
			conn.Doubt()
			if asks || !conn.Stale() {
				return conn
			}
			conn.Close()
		}
	}
	return nil
}

// Keep takes a connection back whose last exchange ended cleanly. It is closed if it was made for one client, and if the
// endpoint is gone or has enough. Where the caller's own list is full the others are used: all streams of an HTTP/2
// connection are one caller.
func (e *Endpoint) Keep(conn *Conn, shard uint32, now time.Time) {
	conn.Release()
	conn.Reused, conn.idleFrom = true, now
	for i := range uint32(shards) {
		if conn.transport.shared() && e.idle[(shard+i)%shards].push(conn, &e.gone) {
			return
		}
	}
	conn.Close()
}

// pop finds a connection at the end of the list at once, unless Ingresses disagree about how the pods are spoken to.
func (l *idleList) pop(t *Transport) *Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.conns) - 1; i >= 0; i-- {
		if conn := l.conns[i]; conn.transport == t {
			l.conns = slices.Delete(l.conns, i, i+1)
			return conn
		}
	}
	return nil
}

// push refuses when the list is full or the endpoint is gone. Looking at gone under the lock makes sure that close
// leaves nothing behind.
func (l *idleList) push(conn *Conn, gone *atomic.Bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if gone.Load() || len(l.conns) >= maxIdlePerShard {
		return false
	}
	l.conns = append(l.conns, conn)
	return true
}

// closeIdle closes the connections that have been idle since before the given time, and those their peer has closed.
func (e *live) closeIdle(before time.Time) {
	e.http2.Range(func(_, kept any) bool {
		kept.(*http2Conns).tidy(before)
		return true
	})
	for i := range e.idle {
		for _, conn := range e.idle[i].expired(before) {
			conn.Close()
		}
	}
}

func (l *idleList) expired(before time.Time) []*Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	var expired []*Conn
	kept := l.conns[:0]
	for _, conn := range l.conns {
		if conn.idleFrom.Before(before) || conn.Stale() {
			expired = append(expired, conn)
			continue
		}
		kept = append(kept, conn)
	}
	clear(l.conns[len(kept):])
	l.conns = kept
	return expired
}

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
