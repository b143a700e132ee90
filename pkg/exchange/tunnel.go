package exchange

import (
	"io"
	"sync"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Tunnel is the pod's side of an upgraded connection. The endpoint counts it among its requests until it ends.
type Tunnel struct {
	conn     *upstream.Conn
	endpoint *upstream.Endpoint
}

// Run passes bytes both ways until both sides have ended. No buffer is held while nothing passes, and no change of the
// configuration touches it.
//
// there and back are the guards of what is sent to the pod and to the client.
func (t *Tunnel) Run(e *Engine, client *http1.Conn, there, back *Guard) {
	f := &flow{kind: observe.StreamWebSocket, pod: t.conn, guard: back}
	e.Flows.add(f)
	defer e.Flows.remove(f)
	defer t.endpoint.End()
	defer t.conn.Close()
	there.reads = false
	towardsPod := way{from: client, to: t.conn.Conn, engine: e, guard: there, back: back}
	towardsClient := way{from: t.conn.Conn, to: client, engine: e, guard: back, back: there}
	var other sync.WaitGroup
	other.Go(towardsPod.run)
	towardsClient.run()
	other.Wait()
}

// way is one direction of a tunnel.
type way struct {
	from, to *http1.Conn
	engine   *Engine
	guard    *Guard // of this direction
	back     *Guard // of the other one
}

// run ends when from does. That is passed on and leaves the other direction open, as long as something comes that way:
// from may be gone for good, and the other side may not care. A failure ends both directions.
func (w *way) run() {
	if w.pass() != io.EOF || !CloseWrite(w.to) {
		w.to.Close()
		return
	}
	w.guard.Start(w.to, w.engine.After(w.engine.Timeouts.Response))
}

// pass moves bytes, those first that came with the handshake, until from ends or something fails.
func (w *way) pass() error {
	for {
		if len(w.from.Buffered()) == 0 {
			if err := w.from.Fill(0); err != nil {
				return err
			}
		}
		if err := w.write(w.from.Buffered()); err != nil {
			return err
		}
		w.back.extend(w.engine.After(w.engine.Timeouts.Response))
		w.from.Consume(len(w.from.Buffered()))
		w.from.Release()
	}
}

func (w *way) write(span []byte) error {
	w.guard.Start(w.to, w.engine.After(w.engine.Timeouts.Body))
	defer w.guard.Stop()
	_, err := w.to.Write(span)
	return err
}

// CloseWrite tells the other side of conn that nothing more will come. It reports whether the connection can do that.
func CloseWrite(conn *http1.Conn) bool {
	half, ok := conn.Conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}
