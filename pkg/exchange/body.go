package exchange

import (
	"io"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// MessageBody is the body of a request or a response. It hides the protocol of the connection.
type MessageBody interface {
	// Next returns the next span, as http1.Body.Next does.
	Next(wait bool) ([]byte, error)
	// Trailers returns the trailer fields. They are valid once Next has returned io.EOF.
	Trailers() []http1.Field
}

var (
	_ MessageBody = (*http1.Body)(nil)
	_ MessageBody = (*http2.Stream)(nil)
)

// BodySource reads the body of a request. Only one goroutine reads at a time: first the goroutine of the exchange, then the
// goroutine of the body pump. The embedded Guard limits the wait for the client.
type BodySource struct {
	Guard       // limits the wait for the client
	body        MessageBody
	deadliner   Deadliner   // read deadline of the connection or stream that the body arrives on
	interrupted atomic.Bool // no more is read; set by interrupt, from any goroutine
}

// Reset prepares s for the body of the next request. deadliner sets the read deadline of the connection or stream that the
// body arrives on.
func (s *BodySource) Reset(body MessageBody, deadliner Deadliner) {
	s.body, s.deadliner, s.readOnly = body, deadliner, true
	s.interrupted.Store(false)
}

// Release drops the references to the body and its connection.
func (s *BodySource) Release() { s.body, s.deadliner = nil, nil }

// Next returns the next span. A wait beyond the deadline, which is a time on the engine's clock, ends with
// os.ErrDeadlineExceeded.
func (s *BodySource) Next(wait bool, deadline int64) ([]byte, error) {
	if !wait {
		return s.body.Next(false)
	}
	s.Start(s.deadliner, deadline)
	span, err := s.body.Next(true)
	if s.Stop() && err != nil || s.interrupted.Load() {
		return nil, os.ErrDeadlineExceeded
	}
	return span, err
}

// interrupt makes a waiting Next return an error, and prevents all later reads. It sets interrupted before the deadline: if
// the guard resets the deadline concurrently, Next still has to check interrupted.
func (s *BodySource) interrupt() {
	s.interrupted.Store(true)
	_ = s.deadliner.SetReadDeadline(aLongTimeAgo) // an error means that the connection is closed, which ends the wait, too
}

// Resume reverts interrupt. The caller must have waited for the interrupted goroutine. It is used when the whole body had
// arrived, so that the connection can serve another request.
func (s *BodySource) Resume() {
	if s.interrupted.CompareAndSwap(true, false) && s.deadliner != nil {
		_ = s.deadliner.SetReadDeadline(time.Time{}) // an error means that the connection is closed
	}
}

// nextBody returns the next span of the request's body. It returns errBodyTooLarge if the body exceeds the limit.
func (x *Exchange) nextBody(wait bool) ([]byte, error) {
	span, err := x.source.Next(wait, x.Engine.After(x.view.Limits.BodyTimeout))
	if err != http1.ErrIncomplete && x.continueAt.Load() != 0 {
		x.continueAt.Store(0) // the client does not wait
	}
	if x.bodyBytes += int64(len(span)); x.bodyBytes > x.view.Limits.BodyBytes {
		return nil, errBodyTooLarge
	}
	if x.view.BodyCopy.Add(span); err == io.EOF {
		x.view.BodyCopy.End()
	}
	return span, err
}

// errBodyTooLarge reports a body that exceeds the limit of its route.
var errBodyTooLarge = &http1.Error{Status: http.StatusRequestEntityTooLarge, Reason: filter.BodyTooLarge}

// requestTrailers returns the trailers of the request without those that only Limpet may set. They are valid once Next has
// returned io.EOF.
func (x *Exchange) requestTrailers() []http1.Field {
	trailers := x.source.body.Trailers()
	if len(x.view.ForwardFields()) > 0 {
		trailers = slices.DeleteFunc(trailers, func(f http1.Field) bool { return x.view.WithholdsField(f.Name) })
	}
	if x.backend == nil || !x.backend.Policy.EditsHeaders() {
		return trailers
	}
	return slices.DeleteFunc(trailers, func(f http1.Field) bool { return !x.backend.Policy.ForwardsTrailer(f.Name) })
}
