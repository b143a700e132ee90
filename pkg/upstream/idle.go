package upstream

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// Conn is a connection to an endpoint. It is owned by one request at a time.
type Conn struct {
	*http1.Conn
	// Reused says that the connection has carried a request before: its peer may have closed it meanwhile.
	Reused    bool
	transport *Transport
	idleFrom  time.Time
}

// shards is how many lists the idle connections of an endpoint are kept in, so that cores do not fight for one lock.
const shards = 8

// maxIdlePerShard bounds the idle connections of an endpoint: 8 x 32, which one HTTP/2 connection may need alone.
const maxIdlePerShard = 32

// idleList is one shard of idle connections, newest last.
type idleList struct {
	mu    sync.Mutex
	conns []*Conn
	_     [88]byte // two cache lines: neighbours do not share one
}

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
