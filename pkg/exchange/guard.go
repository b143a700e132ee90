package exchange

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Guard ends a wait that takes too long. Setting a deadline on a connection costs a lock of the runtime's timers, four
// times a request; a guard costs two stores, and a sweeper that looks at all guards every Resolution sets the deadline
// of the connections whose time is up (docs/adr/0006). So limits are kept to within Resolution.
//
// A guard belongs to one goroutine. The sweeper only takes part while until holds a time.
type Guard struct {
	until atomic.Int64 // the engine's clock in milliseconds, or one of the states below
	conn  Deadliner    // whose deadline to set; written only while until says off
	reads bool         // of reading only: another goroutine writes to the connection, and may go on
}

// Deadliner is a connection, or a stream of one.
type Deadliner interface {
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
}

const (
	guardOff    = 0
	guardFiring = -1 // the sweeper is setting the deadline
	guardFired  = -2 // the deadline of conn is in the past, until stop
)

var longAgo = time.Unix(1, 0)

// Start makes the sweeper interrupt reads and writes of conn when the engine's clock passes until.
func (g *Guard) Start(conn Deadliner, until int64) {
	g.conn = conn
	g.until.Store(until)
}

// extend moves the time of a started guard, unless it is up already. Any goroutine may call it.
func (g *Guard) extend(until int64) {
	if v := g.until.Load(); v > 0 {
		g.until.CompareAndSwap(v, until)
	}
}

// Stop ends the wait, and reports whether it was too long: then reads and writes failed with os.ErrDeadlineExceeded,
// unless they were just done. The connection can be used again, if it was not closed.
func (g *Guard) Stop() (fired bool) {
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

// Sweep ends the wait if the engine's clock has reached its time. Only the sweeper calls it.
func (g *Guard) Sweep(clock int64) {
	if v := g.until.Load(); v > 0 && v <= clock {
		g.Interrupt(v)
	}
}

// Expire ends the wait at once if there is one. Only the sweeper calls it.
func (g *Guard) Expire() {
	if v := g.until.Load(); v > 0 {
		g.Interrupt(v)
	}
}

// Interrupt ends the wait at once if its time is still v, which Until returned before.
func (g *Guard) Interrupt(v int64) {
	if !g.until.CompareAndSwap(v, guardFiring) {
		return
	}
	g.setDeadline(longAgo)
	g.until.Store(guardFired)
}

// setDeadline ignores errors: they mean that the connection is closed, which ends every wait.
func (g *Guard) setDeadline(t time.Time) {
	if g.reads {
		_ = g.conn.SetReadDeadline(t)
		return
	}
	_ = g.conn.SetDeadline(t)
}

// Until returns when the wait in progress ends by the engine's clock. It is not positive if there is none. Any goroutine may
// call it.
func (g *Guard) Until() int64 { return g.until.Load() }

// StartWriting bounds how long a client may leave unread what is written to it, until the guard is stopped.
func (x *Exchange) StartWriting(to Deadliner) {
	x.guard.Start(to, x.Engine.After(x.view.Limits.BodyTimeout))
}
