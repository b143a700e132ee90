package exchange

import (
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// MessageBody is the body of a request or a response, whatever protocol it comes by.
type MessageBody interface {
	// Next returns the next span, as http1.Body.Next does.
	Next(wait bool) ([]byte, error)
	// Trailers returns the fields that came after the body, once Next has returned io.EOF.
	Trailers() []http1.Field
}

var (
	_ MessageBody = (*http1.Body)(nil)
	_ MessageBody = (*http2.Stream)(nil)
)

// BodySource is where the body of a request comes from. One goroutine at a time reads it: that of the exchange, until the one
// that sends the body on takes over. Its Guard bounds the wait for the client.
type BodySource struct {
	Guard       // of the wait for the client
	body        MessageBody
	deadline    Deadliner   // of where the body comes by
	interrupted atomic.Bool // no more is read
}

// Begin prepares s for the body of the next request. deadline is that of what the body comes by.
func (s *BodySource) Begin(body MessageBody, deadline Deadliner) {
	s.body, s.deadline, s.reads = body, deadline, true
	s.interrupted.Store(false)
}

// Release forgets the body.
func (s *BodySource) Release() { s.body, s.deadline = nil, nil }

// Next returns the next span. A wait that is not over when the engine's clock says until ends with os.ErrDeadlineExceeded.
func (s *BodySource) Next(wait bool, until int64) ([]byte, error) {
	if !wait {
		return s.body.Next(false)
	}
	s.Start(s.deadline, until)
	span, err := s.body.Next(true)
	if s.Stop() && err != nil || s.interrupted.Load() {
		return nil, os.ErrDeadlineExceeded
	}
	return span, err
}

// interrupt makes a next that waits return with an error. No body is read afterwards. It sets interrupted first: if the
// guard takes the deadline back, next has yet to look at it.
func (s *BodySource) interrupt() {
	s.interrupted.Store(true)
	_ = s.deadline.SetReadDeadline(longAgo) // fails where the connection has ended, which ends the wait too
}

// Resume takes an interruption back. It ended the wait of a goroutine that has ended since, for a body that had come.
func (s *BodySource) Resume() {
	if s.interrupted.CompareAndSwap(true, false) && s.deadline != nil {
		_ = s.deadline.SetReadDeadline(time.Time{}) // fails on a connection that is closed
	}
}

// nextBody returns the next span of the request's body, and fails for a body that is longer than the limit.
func (x *Exchange) nextBody(wait bool) ([]byte, error) {
	span, err := x.source.Next(wait, x.Engine.After(x.view.Limits.BodyTimeout))
	if x.received += int64(len(span)); x.received > x.view.Limits.BodyBytes {
		return nil, errBodyTooLarge
	}
	return span, err
}

// errBodyTooLarge is a body beyond the limit of its route.
var errBodyTooLarge = &http1.Error{Status: http.StatusRequestEntityTooLarge, Reason: filter.BodyTooLarge}
