package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/exchange"
)

// streamState is the state of one HTTP/2 or HTTP/3 stream. HTTP/1.1 keeps the same state in client, since a connection serves
// one request at a time.
type streamState struct {
	exchange   exchange.Exchange
	connection exchange.Connection
	tokens     affinity.ConnState
	guard      exchange.Guard      // deadline of the goroutine that runs the exchange
	source     exchange.BodySource // request body, with the deadline of the goroutine that reads it
}

// reset prepares s for the next request on c. down writes its response.
func (s *streamState) reset(c *client, down exchange.Downstream, protocol string) {
	s.connection = c.Connection
	s.tokens.Learned = c.server.Sessions
	s.connection.Memory, s.connection.Multiplexed = &s.tokens, true
	s.exchange.Reset(&s.connection, &s.guard, &s.source, down, protocol)
}

// run runs the exchange, or responds to the error if readHead failed.
func (s *streamState) run(headErr error) {
	if headErr != nil {
		s.exchange.RejectInvalid(headErr)
		return
	}
	s.exchange.Run()
}

// stopGuards stops both guards. Callers must have removed the stream from streamGuards.
func (s *streamState) stopGuards() {
	s.guard.Stop()
	s.source.Stop()
}

// release returns all buffers of the request.
func (s *streamState) release() {
	s.exchange.Release()
	s.source.Release()
}

// guards implements guardedStream.
func (s *streamState) guards() (request, response *exchange.Guard) { return &s.source.Guard, &s.guard }

// mayRequireLength reports whether a pod may require Content-Length with this method, even if it is zero (RFC 9110
// section 8.6).
func mayRequireLength(method []byte) bool {
	switch string(method) {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	}
	return false
}
