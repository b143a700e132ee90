package proxy

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// tunnel is the pod's side of an upgraded connection. The endpoint counts it among its requests until it ends.
type tunnel struct {
	conn     *upstream.Conn
	endpoint *upstream.Endpoint
}

// run passes bytes both ways until both sides have ended. No buffer is held while nothing passes, and no change of the
// configuration touches it.
func (t *tunnel) run(c *client) {
	c.server.Metrics.Streams.Inc()
	defer c.server.Metrics.Streams.Dec()
	defer t.endpoint.End()
	defer t.conn.Close()
	var towardsPod sync.WaitGroup
	towardsPod.Go(func() { pass(t.conn.Conn, c.conn) })
	pass(c.conn, t.conn.Conn)
	towardsPod.Wait()
}

// pass moves bytes from one side to the other, those first that came with the handshake. The end of one direction is
// passed on and leaves the other open; a failure ends both.
func pass(to, from *http1.Conn) {
	for {
		if span := from.Buffered(); len(span) > 0 {
			if _, err := to.Write(span); err != nil {
				from.Close()
				return
			}
			from.Consume(len(span))
			from.Release()
			continue
		}
		if from.Fill(0) != nil {
			endWriting(to)
			return
		}
	}
}

func endWriting(conn *http1.Conn) {
	if half, ok := conn.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		return
	}
	conn.Close()
}
