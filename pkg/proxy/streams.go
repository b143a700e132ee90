package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

type clientKey struct{}

// serveHandlerStream serves one request of an HTTP/3 connection. An answer that cannot be completed ends in a reset of
// the stream.
func serveHandlerStream(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(clientKey{}).(*client)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	s := handlerStreams.Get().(*handlerStream)
	s.begin(c, s, "HTTP/3.0")
	s.hold(w, r)
	if !c.guards.add(s) {
		panic(http.ErrAbortHandler)
	}
	s.serve(s.readHead())
	if t := s.exchange.tunnel; t != nil {
		t.run(c.server, http1.NewConn(streamConn{s}), &s.bodySide, &s.guard)
	}
	left := s.hasLeft()
	c.guards.remove(s, c.server.clock.Load())
	s.leave()
	broken := s.exchange.broken
	s.release()
	s.finish()
	handlerStreams.Put(s)
	if left {
		c.quic.leftBehind(c.server)
	}
	if broken {
		panic(http.ErrAbortHandler)
	}
}
