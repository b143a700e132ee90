package proxy

import (
	"io"
	"net"
	"sync"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// tunnel is the pod's side of an upgraded connection. The endpoint counts it among its requests until it ends.
type tunnel struct {
	conn     *upstream.Conn
	endpoint *upstream.Endpoint
}

// run passes bytes both ways until both sides have ended. No buffer is held while nothing passes, and no change of the
// configuration touches it.
//
// there and back are the guards of what is sent to the pod and to the client.
func (t *tunnel) run(s *Server, client *http1.Conn, there, back *guard) {
	f := &flow{kind: observe.StreamWebSocket, pod: t.conn, guard: back}
	s.flows.add(f)
	defer s.flows.remove(f)
	defer t.endpoint.End()
	defer t.conn.Close()
	there.reads = false
	towardsPod := way{from: client, to: t.conn.Conn, server: s, guard: there, back: back}
	towardsClient := way{from: t.conn.Conn, to: client, server: s, guard: back, back: there}
	var other sync.WaitGroup
	other.Go(towardsPod.run)
	towardsClient.run()
	other.Wait()
}

// way is one direction of a tunnel.
type way struct {
	from, to *http1.Conn
	server   *Server
	guard    *guard // of this direction
	back     *guard // of the other one
}

// run ends when from does. That is passed on and leaves the other direction open, as long as something comes that way:
// from may be gone for good, and the other side may not care. A failure ends both directions.
func (w *way) run() {
	if w.pass() != io.EOF || !endWriting(w.to) {
		w.to.Close()
		return
	}
	w.guard.start(w.to, w.server.after(w.server.Timeouts.Answer))
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
		w.back.extend(w.server.after(w.server.Timeouts.Answer))
		w.from.Consume(len(w.from.Buffered()))
		w.from.Release()
	}
}

func (w *way) write(span []byte) error {
	w.guard.start(w.to, w.server.after(w.server.Timeouts.Body))
	defer w.guard.stop()
	_, err := w.to.Write(span)
	return err
}

// endWriting tells the other side of conn that nothing more will come.
func endWriting(conn *http1.Conn) bool {
	half, ok := conn.Conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// noAddresses is for a connection that is a stream: nobody asks for its ends.
type noAddresses struct{}

// LocalAddr is part of net.Conn.
func (noAddresses) LocalAddr() net.Addr { return &net.TCPAddr{} }

// RemoteAddr is part of net.Conn.
func (noAddresses) RemoteAddr() net.Addr { return &net.TCPAddr{} }
