package filter

import (
	"cmp"
	"math"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Limits are the limits of one request: those of the flags, overridden by those of its route.
type Limits struct {
	// ResponseTimeout is the maximum time to wait for the head of a pod's response, and between two reads of its body.
	ResponseTimeout time.Duration
	// ConnectTimeout is the maximum time to connect to a pod.
	ConnectTimeout time.Duration
	// BodyTimeout is the maximum time between two reads of a request body, and between two writes to a client that
	// does not read.
	BodyTimeout time.Duration
	// BodyBytes is the maximum size of a request body.
	BodyBytes int64
	// Attempts is the maximum number of attempts for a request, including the first.
	Attempts int
	// RetryTimeout is the time since the start of a request after which there is no further attempt. Zero sets no limit.
	RetryTimeout time.Duration
	// RetryStatuses are the statuses after which a request without a body is sent again.
	RetryStatuses model.StatusSet
	// RetriesUnsafe also sends POST, LOCK and PATCH requests again.
	RetriesUnsafe bool
}

// Apply overrides l with the limits of a route.
func (l *Limits) Apply(m *model.Limits) {
	l.ResponseTimeout = cmp.Or(m.ResponseTimeout, l.ResponseTimeout)
	l.ConnectTimeout = cmp.Or(m.ConnectTimeout, l.ConnectTimeout)
	l.BodyTimeout = cmp.Or(m.BodyTimeout, l.BodyTimeout)
	l.Attempts = cmp.Or(m.MaxAttempts, l.Attempts)
	l.RetryTimeout = cmp.Or(m.RetryTimeout, l.RetryTimeout)
	l.RetryStatuses, l.RetriesUnsafe = m.RetryStatuses, m.RetriesUnsafe
	switch m.MaxBodyBytes {
	case 0:
	case model.NoBound:
		l.BodyBytes = math.MaxInt64
	default:
		l.BodyBytes = m.MaxBodyBytes
	}
}

// RouteLimits applies the limits of a route to its requests. It refuses requests whose Content-Length exceeds the
// limit.
type RouteLimits struct{ model *model.Limits }

// NewRouteLimits returns a filter for these limits. Nil keeps the limits of the flags.
func NewRouteLimits(m *model.Limits) Filter { return &RouteLimits{m} }

// BodyTooLarge is the reason text of a 413 response.
const BodyTooLarge = "the body exceeds the size limit"

var bodyTooLarge = NewText(http.StatusRequestEntityTooLarge, "The request is refused: "+BodyTooLarge+".").Closing()

// Name implements Filter.
func (*RouteLimits) Name() string { return "limits" }

// FilterRequest implements RequestFilter.
func (f *RouteLimits) FilterRequest(r *Request) *Response {
	if f.model != nil {
		r.Limits.Apply(f.model)
	}
	if r.Head.ContentLength > r.Limits.BodyBytes {
		return bodyTooLarge
	}
	return nil
}
