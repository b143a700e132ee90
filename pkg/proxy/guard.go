package proxy

import (
	"runtime"
	"sync/atomic"
	"time"
)

// guard ends a wait that takes too long. Setting a deadline on a connection costs a lock of the runtime's timers, four
// times a request; a guard costs two stores, and a sweeper that looks at all guards every sweepEvery sets the deadline
// of the connections whose time is up (docs/adr/0006). So limits are kept to within sweepEvery.
//
// A guard belongs to one goroutine. The sweeper only takes part while until holds a time.
type guard struct {
	until atomic.Int64 // the server's clock in milliseconds, or one of the states below
	conn  deadliner    // whose deadline to set; written only while until says off
	reads bool         // of reading only: somebody else writes to the connection, and may go on
}

// deadliner is a connection, or a stream of one.
type deadliner interface {
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
}

const (
	guardOff    = 0
	guardFiring = -1 // the sweeper is setting the deadline
	guardFired  = -2 // the deadline of conn is in the past, until stop
)

var longAgo = time.Unix(1, 0)

// start makes the sweeper interrupt reads and writes of conn when the server's clock passes until.
func (g *guard) start(conn deadliner, until int64) {
	g.conn = conn
	g.until.Store(until)
}

// extend moves the time of a started guard, unless it is up already. Any goroutine may call it.
func (g *guard) extend(until int64) {
	if v := g.until.Load(); v > 0 {
		g.until.CompareAndSwap(v, until)
	}
}

// stop ends the wait, and reports whether it was too long: then reads and writes failed with os.ErrDeadlineExceeded,
// unless they were just done. The connection can be used again, if it was not closed.
func (g *guard) stop() (fired bool) {
	for {
		switch v := g.until.Load(); v {
		case guardOff:
			return false
		case guardFired:
			g.until.Store(guardOff)
			g.setDeadline(time.Time{})
			return true
		case guardFiring:
			runtime.Gosched()
		default:
			if g.until.CompareAndSwap(v, guardOff) {
				return false
			}
		}
	}
}

// sweep is called by the sweeper.
func (g *guard) sweep(clock int64) {
	if v := g.until.Load(); v > 0 && v <= clock {
		g.interrupt(v)
	}
}

// expire is called by the sweeper too, to end the wait at once if there is one.
func (g *guard) expire() {
	if v := g.until.Load(); v > 0 {
		g.interrupt(v)
	}
}

// interrupt sets the deadline now if until is still v.
func (g *guard) interrupt(v int64) {
	if !g.until.CompareAndSwap(v, guardFiring) {
		return
	}
	g.setDeadline(longAgo)
	g.until.Store(guardFired)
}

// setDeadline ignores errors: they mean that the connection is closed, which ends every wait.
func (g *guard) setDeadline(t time.Time) {
	if g.reads {
		_ = g.conn.SetReadDeadline(t)
		return
	}
	_ = g.conn.SetDeadline(t)
}

// startWriting bounds how long a client may leave unread what is written to it, until the guard is stopped.
func (x *exchange) startWriting(to deadliner) { x.guard.start(to, x.server.after(x.bounds.body)) }
