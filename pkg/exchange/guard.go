package exchange

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Guard interrupts a wait that takes too long. Setting a deadline on a connection takes a lock of the runtime's timers, four
// times per request. A guard costs two atomic stores instead. A sweeper checks all guards every Resolution and sets the
// deadline of the connections whose time has passed (docs/adr/0006). Timeouts are therefore accurate to within Resolution.
//
// A guard belongs to one goroutine. The sweeper accesses it only while deadline is a time.
type Guard struct {
	deadline atomic.Int64 // time on the engine's clock in milliseconds, or one of the states below
	conn     Deadliner    // interrupted at the deadline; written only while deadline is guardOff
	readOnly bool         // interrupt reads only, because another goroutine writes to the connection
}

// Deadliner is a connection, or a stream of one.
type Deadliner interface {
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
}

const (
	guardOff    = 0
	guardFiring = -1 // the sweeper is setting the deadline of conn
	guardFired  = -2 // the deadline of conn is in the past until Stop
)

var aLongTimeAgo = time.Unix(1, 0)

// Start makes the sweeper interrupt reads and writes of conn when the engine's clock reaches deadline.
func (g *Guard) Start(conn Deadliner, deadline int64) {
	g.conn = conn
	g.deadline.Store(deadline)
}

// extend moves the deadline of a running guard. It has no effect on a guard that is off or has fired. Any goroutine may call
// it.
func (g *Guard) extend(deadline int64) {
	if v := g.deadline.Load(); v > 0 {
		g.deadline.CompareAndSwap(v, deadline)
	}
}

// Stop ends the wait. It reports whether the guard had fired: then reads and writes failed with os.ErrDeadlineExceeded,
// unless they had completed just before. The connection is usable afterwards, unless it was closed.
func (g *Guard) Stop() (fired bool) {
	for {
		switch v := g.deadline.Load(); v {
		case guardOff:
			return false
		case guardFired:
			g.deadline.Store(guardOff)
			g.setDeadline(time.Time{})
			return true
		case guardFiring:
			runtime.Gosched()
		default:
			if g.deadline.CompareAndSwap(v, guardOff) {
				return false
			}
		}
	}
}

// Sweep interrupts the wait if its deadline has passed. Only the sweeper calls it.
func (g *Guard) Sweep(clock int64) {
	if v := g.deadline.Load(); v > 0 && v <= clock {
		g.Interrupt(v)
	}
}

// Expire interrupts the wait, if there is one, regardless of its deadline. Only the sweeper calls it.
func (g *Guard) Expire() {
	if v := g.deadline.Load(); v > 0 {
		g.Interrupt(v)
	}
}

// Interrupt interrupts the wait if its deadline is still v, a value that Deadline returned.
func (g *Guard) Interrupt(v int64) {
	if !g.deadline.CompareAndSwap(v, guardFiring) {
		return
	}
	g.setDeadline(aLongTimeAgo)
	g.deadline.Store(guardFired)
}

// setDeadline ignores errors. The connection is closed then, which ends every wait.
func (g *Guard) setDeadline(t time.Time) {
	if g.readOnly {
		_ = g.conn.SetReadDeadline(t)
		return
	}
	_ = g.conn.SetDeadline(t)
}

// Deadline returns the deadline of the wait on the engine's clock. It is not positive if there is no wait. Any goroutine may
// call it.
func (g *Guard) Deadline() int64 { return g.deadline.Load() }

// StartWriting limits how long a client may leave written data unread, until the guard is stopped.
func (x *Exchange) StartWriting(to Deadliner) {
	x.guard.Start(to, x.Engine.After(x.view.Limits.BodyTimeout))
}
