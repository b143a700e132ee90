package exchange

import (
	"bytes"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Tunnel is the upstream side of an upgraded connection. It counts as a request of its endpoint until it ends.
type Tunnel struct {
	conn     *upstream.Conn
	endpoint *upstream.Endpoint
	session  uint64 // see Exchange.beginUse
	kind     observe.StreamKind
	access   *tunnelAccess // nil without an access log
	held     filter.Held
	// sent is the number of bytes of the client that were sent to the pod before Run.
	sent int64
	// idle ends the tunnel after a time without data in either direction. Zero disables it.
	idle time.Duration
}

// tunnelKind returns the kind of the tunnel that the request leads to.
func (x *Exchange) tunnelKind() observe.StreamKind {
	if bytes.Equal(x.upgrade, websocket) {
		return observe.StreamWebSocket
	}
	return observe.StreamUpgrade
}

// Run copies bytes in both directions until both sides have ended. It holds no buffer while it waits. Configuration changes
// do not affect it. At the end it writes the access log entry.
//
// toPod and toClient guard the writes to the pod and to the client.
func (t *Tunnel) Run(e *Engine, client *http1.Conn, toPod, toClient *Guard) {
	s := &longStream{kind: t.kind, endpoint: t.endpoint, upstream: t.conn, guard: toClient}
	e.LongStreams.add(s)
	defer e.LongStreams.remove(s)
	defer t.endpoint.EndRequest()
	defer endUse(t.endpoint, t.session)
	defer t.held.Release()
	defer t.conn.Close()
	toPod.readOnly = false
	up := tunnelDirection{src: client, dst: t.conn.Conn, engine: e, guard: toPod, reverse: toClient}
	down := tunnelDirection{src: t.conn.Conn, dst: client, engine: e, guard: toClient, reverse: toPod}
	up.written.Store(t.sent)
	defer t.access.write(e, &up, &down)
	defer t.endWhenIdle(&up, &down)()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer up.containPanic()
		up.run()
	})
	down.run()
	wg.Wait()
}

// endWhenIdle closes both connections after Tunnel.idle without data. The caller must call stop at the end.
func (t *Tunnel) endWhenIdle(up, down *tunnelDirection) (stop func()) {
	if t.idle == 0 {
		return func() {}
	}
	var timer *time.Timer
	var seen int64 // bytes at the last check
	check := func() {
		if now := up.written.Load() + down.written.Load(); now != seen {
			seen = now
			timer.Reset(t.idle)
			return
		}
		up.src.Close()
		up.dst.Close()
	}
	timer = time.AfterFunc(math.MaxInt64, check)
	timer.Reset(t.idle)
	return func() { timer.Stop() }
}

// tunnelDirection is one direction of a tunnel.
type tunnelDirection struct {
	src, dst *http1.Conn
	engine   *Engine
	guard    *Guard       // of this direction
	reverse  *Guard       // the guard of the other direction
	written  atomic.Int64 // bytes that dst accepted
	panicked atomic.Bool
}

// run copies until src ends. It then half-closes dst, and leaves the other direction open for as long as it carries data: src
// may be gone for good without the other side noticing. An error ends both directions.
func (d *tunnelDirection) run() {
	if d.copy() != io.EOF || !CloseWrite(d.dst) {
		d.dst.Close()
		return
	}
	d.guard.Start(d.dst, d.engine.After(d.engine.Timeouts.Response))
}

// containPanic ends the tunnel, and no other, after a panic in the goroutine of one direction. It must be deferred.
func (d *tunnelDirection) containPanic() {
	if cause := recover(); cause != nil {
		d.engine.RecordPanic(cause)
		d.panicked.Store(true)
		d.src.Close()
		d.dst.Close()
	}
}

// copy copies bytes until src ends or an error occurs. Bytes that arrived with the handshake come first.
func (d *tunnelDirection) copy() error {
	for {
		if len(d.src.Buffered()) == 0 {
			if err := d.src.Fill(0); err != nil {
				return err
			}
		}
		if err := d.write(d.src.Buffered()); err != nil {
			return err
		}
		d.reverse.extend(d.engine.After(d.engine.Timeouts.Response))
		d.src.Consume(len(d.src.Buffered()))
		d.src.Release()
	}
}

func (d *tunnelDirection) write(span []byte) error {
	d.guard.Start(d.dst, d.engine.After(d.engine.Timeouts.Body))
	defer d.guard.Stop()
	n, err := d.dst.Write(span)
	d.written.Add(int64(n))
	return err
}

// CloseWrite half-closes conn. It reports whether the connection supports that.
func CloseWrite(conn *http1.Conn) bool {
	half, ok := conn.Conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
