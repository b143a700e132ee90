package proxy

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
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

// setTarget sets the target of the request, whose method must be set. The limit applies before and after UTF-8 in it is encoded.
func (s *streamState) setTarget(target []byte) error {
	req, most := s.exchange.Request(), s.connection.Engine.Limits.TargetBytes
	if len(target) > most {
		return http1.ErrTargetTooLong
	}
	err := req.SetTarget(target)
	if err == nil && len(req.Path)+len(req.Query) > most {
		return http1.ErrTargetTooLong
	}
	return err
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
