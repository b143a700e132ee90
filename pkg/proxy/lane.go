package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// lane is what a request has for itself whose connection carries others at the same time.
type lane struct {
	exchange exchange
	origin   origin
	tokens   affinity.Memory
	guard    guard // of the goroutine of the exchange
	source   bodySource
}

func (l *lane) begin(c *client, down downstream, protocol string) {
	l.origin = c.origin
	l.tokens.Learned = c.server.Sessions
	l.origin.memory = &l.tokens
	x := &l.exchange
	x.reset()
	x.origin, x.guard, x.source, x.down = &l.origin, &l.guard, &l.source, down
	x.client, x.protocol, x.bounds = c.peer, protocol, c.server.usual
}

// serve takes the request on from its head, or refuses it for what is wrong with that.
func (l *lane) serve(headErr error) {
	if headErr != nil {
		l.exchange.refuseRequest(headErr)
		return
	}
	l.exchange.run()
}

// leave ends the guards, of which the sweeper knows no more.
func (l *lane) leave() {
	l.guard.stop()
	l.source.stop()
}

// finish gives back what the request held.
func (l *lane) finish() {
	l.exchange.out.Drop()
	l.exchange.body.reset()
	l.exchange.trim()
	l.exchange.respBody.Reset()
	l.source.body, l.source.deadline = nil, nil
	l.exchange.origin, l.exchange.guard, l.exchange.source = nil, nil, nil
}

func (l *lane) guards() (there, back *guard) { return &l.source.guard, &l.guard }

// takesBody reports whether a server may insist on a length, even if it is 0 (RFC 9110 section 8.6).
func takesBody(method []byte) bool {
	switch string(method) {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	}
	return false
}
