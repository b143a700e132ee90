package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/exchange"
)

// lane is what a request has for itself whose connection carries others at the same time.
type streamState struct {
	exchange   exchange.Exchange
	connection exchange.Connection
	tokens     affinity.Memory
	guard      exchange.Guard // of the goroutine of the exchange
	source     exchange.BodySource
}

func (l *streamState) reset(c *client, down exchange.Downstream, protocol string) {
	l.connection = c.Connection
	l.tokens.Learned = c.server.Sessions
	l.connection.Memory = &l.tokens
	l.exchange.Begin(&l.connection, &l.guard, &l.source, down, protocol)
}

// serve takes the request on from its head, or refuses it for what is wrong with that.
func (l *streamState) run(headErr error) {
	if headErr != nil {
		l.exchange.Refuse(headErr)
		return
	}
	l.exchange.Run()
}

// leave ends the guards, of which the sweeper knows no more.
func (l *streamState) stopGuards() {
	l.guard.Stop()
	l.source.Stop()
}

// finish gives back what the request held.
func (l *streamState) release() {
	l.exchange.Release()
	l.source.Release()
}

func (l *streamState) guards() (there, back *exchange.Guard) { return &l.source.Guard, &l.guard }

// takesBody reports whether a server may insist on a length, even if it is 0 (RFC 9110 section 8.6).
func mayRequireLength(method []byte) bool {
	switch string(method) {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	}
	return false
}
