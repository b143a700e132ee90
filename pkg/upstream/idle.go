package upstream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// Conn is an HTTP/1.1 connection to an endpoint. Only one request uses it at a time.
type Conn struct {
	*http1.Conn
	// Reused reports whether the connection has carried a request before. The peer may have closed it since.
	Reused bool
	// IsOwned reports whether the connection belongs to one client connection. It must then not be passed to PutIdle.
	IsOwned   bool
	transport *Transport
	endpoint  *endpointState // set by Owned.Put
	idleFrom  time.Time
}

// idleShards is the number of idle lists of an endpoint. Several lists reduce lock contention between cores.
const idleShards = 8

// maxIdlePerShard is the maximum number of idle connections in one list. An endpoint has at most 8 x 32, which one
// HTTP/2 client connection may use alone.
const maxIdlePerShard = 32

// idleList is one shard of the idle connections, most recently used last.
type idleList struct {
	mu    sync.Mutex
	conns []*Conn
	_     [88]byte // pad to two cache lines, to avoid false sharing
}

// idleLists are the idle connections of an endpoint. They take 1 KiB, so endpoints without traffic have none.
type idleLists [idleShards]idleList

// idleLists returns the lists, and creates them if they are missing.
func (e *endpointState) idleLists() *idleLists {
	if lists := e.idle.Load(); lists != nil {
		return lists
	}
	e.idle.CompareAndSwap(nil, new(idleLists))
	return e.idle.Load()
}

// TakeIdle returns the most recently used idle connection with that transport, or nil. Callers should pass the same
// shard each time, so that they reuse the same connections.
//
// TakeIdle closes connections that the peer has closed. It also closes connections on which the peer has sent data:
// the next request, which may be from another client, would receive it as its response. If deferCheck is set, the caller
// must call http1.Conn.WriteAndWait, which checks this immediately before the request is sent (see http1.Conn.CheckBeforeWrite).
func (e *Endpoint) TakeIdle(shard uint32, t *Transport, deferCheck bool) *Conn {
	lists := e.idle.Load()
	if lists == nil {
		return nil
	}
	for i := range uint32(idleShards) {
		list := &lists[(shard+i)%idleShards]
		for conn := list.pop(t); conn != nil; conn = list.pop(t) {
			conn.CheckBeforeWrite()
			if deferCheck || !conn.Stale() {
				return conn
			}
			conn.Close()
		}
	}
	return nil
}

// PutIdle returns a connection to the idle list after an exchange that ended cleanly. It closes the connection if it
// belongs to one client, if the endpoint was removed, or if the lists are full. If the caller's list is full, it uses
// the other lists, because all streams of an HTTP/2 connection share one shard.
func (e *Endpoint) PutIdle(conn *Conn, shard uint32, now time.Time) {
	conn.Release()
	conn.Reused, conn.idleFrom = true, now
	lists := e.idleLists() // before push reads retired, see retire
	for i := range uint32(idleShards) {
		if conn.transport.IsShared() && lists[(shard+i)%idleShards].push(conn, &e.retired) {
			return
		}
	}
	conn.Close()
}

// pop removes and returns the last connection with that transport. It is usually the last element, unless Ingresses
// configure different transports for the same pods.
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

// push returns false if the list is full or the endpoint was removed. It checks retired under the lock, so that retire
// leaves no connection behind.
func (l *idleList) push(conn *Conn, gone *atomic.Bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if gone.Load() || len(l.conns) >= maxIdlePerShard {
		return false
	}
	l.conns = append(l.conns, conn)
	return true
}

// closeIdle closes connections that have been idle since before the given time, and those that the peer has closed.
func (e *endpointState) closeIdle(before time.Time) {
	e.eachHTTP2(func(conns *http2Conns) { conns.closeIdle(before) })
	lists := e.idle.Load()
	if lists == nil {
		return
	}
	for i := range lists {
		for _, conn := range lists[i].expired(before) {
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
