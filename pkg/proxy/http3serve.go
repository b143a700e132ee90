package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// serveHTTP3Stream serves one HTTP/3 request. It panics with http.ErrAbortHandler to make quic-go reset the stream, if the
// response is incomplete.
func serveHTTP3Stream(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(clientKey{}).(*client)
	if !ok || !c.serveHTTP3Request(w, r) {
		panic(http.ErrAbortHandler)
	}
}

// serveHTTP3Request serves one request. It returns false if the stream must be reset.
func (c *client) serveHTTP3Request(w http.ResponseWriter, r *http.Request) bool {
	base, head := http3Cost(r)
	if !c.Account.Take(base + head) {
		c.quic.countReset(c.server)
		refuseHTTP3(w, r)
		return true
	}
	defer c.Account.Return(base)
	s := http3Streams.Get().(*http3Stream)
	s.reset(c, s, "HTTP/3.0")
	s.attach(w, r)
	s.charged = head
	if !c.guards.add(s) {
		s.uncharge(c.Account)
		return false
	}
	return c.serveHTTP3Exchange(s)
}

// serveHTTP3Exchange runs the exchange of s, and its tunnel, and releases s. It returns false if the stream must be reset.
func (c *client) serveHTTP3Exchange(s *http3Stream) (complete bool) {
	defer c.containHTTP3Panic(s)
	s.run(s.readHead())
	if t := s.exchange.Tunnel(); t != nil {
		t.Run(c.server.Engine, http1.NewConn(http3Tunnel{http3Stream: s}), &s.source.Guard, &s.guard)
	}
	s.drainBody()
	wasReset := s.IsClientGone()
	complete = !s.exchange.Broken()
	s.leave(c)
	if !s.exchange.Panicked() { // otherwise the state of s is unknown, so it is not used again
		s.detach()
		s.release()
		http3Streams.Put(s)
	}
	if wasReset {
		c.quic.countReset(c.server)
	}
	return complete
}

// leave removes s from the streams that are being served, and returns the charge for its head.
func (s *http3Stream) leave(c *client) {
	c.guards.remove(s, c.server.Clock())
	s.stopGuards()
	s.uncharge(c.Account)
}

// containHTTP3Panic resets the stream, and no other, after a panic outside of its exchange. It must be deferred.
func (c *client) containHTTP3Panic(s *http3Stream) {
	if cause := recover(); cause != nil {
		c.server.RecordPanic(cause)
		s.leave(c)
	}
}
