package proxy

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// messageBody is the body of a request or an answer, whatever protocol it comes by.
type messageBody interface {
	// Next gives the next span, as http1.Body.Next does.
	Next(wait bool) ([]byte, error)
	// Trailers are those that came after the body, once Next gave io.EOF.
	Trailers() []http1.Field
}

var (
	_ messageBody = (*http1.Body)(nil)
	_ messageBody = (*http2.Stream)(nil)
	_ messageBody = (*http3Body)(nil)
)

// bodySource is where the body of a request comes from. It is read by one goroutine at a time: that of the exchange, until
// the one that sends the body on takes over.
type bodySource struct {
	guard       // of the wait for the client
	body        messageBody
	deadline    deadliner   // of where the body comes by
	interrupted atomic.Bool // no more is read
}

// begin is for another request.
func (s *bodySource) begin(body messageBody, deadline deadliner) {
	s.body, s.deadline, s.reads = body, deadline, true
	s.interrupted.Store(false)
}

// next gives the next span. A wait that is not over when the server's clock says until ends with os.ErrDeadlineExceeded.
func (s *bodySource) next(wait bool, until int64) ([]byte, error) {
	if !wait {
		return s.body.Next(false)
	}
	s.start(s.deadline, until)
	span, err := s.body.Next(true)
	if s.stop() && err != nil || s.interrupted.Load() {
		return nil, os.ErrDeadlineExceeded
	}
	return span, err
}

// interrupt makes a next that waits return with an error. No body is read afterwards. It sets interrupted first: if the
// guard takes the deadline back, next has yet to look at it.
func (s *bodySource) interrupt() {
	s.interrupted.Store(true)
	_ = s.deadline.SetReadDeadline(longAgo) // fails where the connection has ended, which ends the wait too
}

// resume takes interrupt back: it ended the wait of a goroutine that has ended since, for a body that had come.
func (s *bodySource) resume() {
	if s.interrupted.CompareAndSwap(true, false) {
		_ = s.deadline.SetReadDeadline(time.Time{}) // fails on a connection that is closed
	}
}

// nextBody gives the next span of the request's body, and ends a body that is longer than may be.
func (x *exchange) nextBody(wait bool) ([]byte, error) {
	span, err := x.source.next(wait, x.server.after(x.bounds.body))
	if x.received += int64(len(span)); x.received > x.bounds.bodyBytes {
		return nil, errBodyTooLarge
	}
	return span, err
}
