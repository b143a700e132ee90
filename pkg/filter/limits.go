package filter

import (
	"cmp"
	"math"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Limits are what holds for one request: what the command line says, unless its route says otherwise.
type Limits struct {
	// ResponseTimeout is the longest gap between two reads of a pod's response, and the wait for its head.
	ResponseTimeout time.Duration
	// ConnectTimeout is how long connecting to a pod may take.
	ConnectTimeout time.Duration
	// BodyTimeout is the longest gap between two reads of a request's body, or two writes to a client that does not read.
	BodyTimeout time.Duration
	// BodyBytes is the longest body of a request.
	BodyBytes int64
	// Attempts is how often the request is tried in all.
	Attempts int
}

// Apply changes l to what a route says.
func (l *Limits) Apply(m *model.Limits) {
	l.ResponseTimeout = cmp.Or(m.ResponseTimeout, l.ResponseTimeout)
	l.ConnectTimeout = cmp.Or(m.ConnectTimeout, l.ConnectTimeout)
	l.BodyTimeout = cmp.Or(m.BodyTimeout, l.BodyTimeout)
	l.Attempts = cmp.Or(m.MaxAttempts, l.Attempts)
	switch m.MaxBodyBytes {
	case 0:
	case model.NoBound:
		l.BodyBytes = math.MaxInt64
	default:
		l.BodyBytes = m.MaxBodyBytes
	}
}

// RouteLimits gives the requests of a route their limits, and refuses those whose body is announced to be longer than that.
type RouteLimits struct{ model *model.Limits }

// NewRouteLimits returns a filter for these limits. Nil stands for those of the command line.
func NewRouteLimits(m *model.Limits) Filter { return &RouteLimits{m} }

// BodyTooLarge is the reason of a 413 response.
const BodyTooLarge = "the body is longer than may be"

var bodyTooLarge = NewText(http.StatusRequestEntityTooLarge, "The request is refused: "+BodyTooLarge+".").Closing()

// Name is part of Filter.
func (*RouteLimits) Name() string { return "limits" }

// FilterRequest is part of RequestFilter.
func (f *RouteLimits) FilterRequest(r *Request) *Response {
	if f.model != nil {
		r.Limits.Apply(f.model)
	}
	if r.Head.ContentLength > r.Limits.BodyBytes {
		return bodyTooLarge
	}
	return nil
}
