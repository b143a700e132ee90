package filter

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// Mirror sends a copy of each request to another destination. Clients do not wait for it. A copy with a body is sent when the
// whole body has arrived. Copies beyond the bounds of Copies are dropped and counted.
type Mirror struct {
	model     *model.Mirror
	namespace string // of the object
	endpoints Endpoints
	url, host *variable.Template
	isInvalid bool
}

// mirrorTimeout bounds the wait for the response to a copy.
const mirrorTimeout = 30 * time.Second

// NewMirror returns a filter for a route, or nil if the route does not use it. endpoints are the endpoints of its Service.
func NewMirror(m *model.Route, endpoints Endpoints) Filter {
	if m.Filters == nil || m.Filters.Mirror == nil {
		return nil
	}
	f := &Mirror{model: m.Filters.Mirror, namespace: m.Source.Namespace, endpoints: endpoints}
	var urlErr, hostErr error
	f.url, urlErr = variable.Parse(f.model.URL)
	f.host, hostErr = variable.Parse(f.model.Host)
	f.isInvalid = urlErr != nil || hostErr != nil
	return f
}

// Name implements Filter.
func (*Mirror) Name() string { return "mirror" }

// FilterRequest implements RequestFilter.
func (f *Mirror) FilterRequest(r *Request) *Response {
	if r.IsDescribed || r.Shared == nil || f.isInvalid {
		return nil
	}
	copies := r.Shared.Copies
	if !copies.begin(f.namespace) {
		return nil
	}
	s := &Subrequest{
		Purpose: PurposeMirror, Namespace: f.namespace, Method: string(r.Head.Method), URL: f.target(r),
		Host: string(f.host.Append(nil, r, nil)), Header: r.copyHeader(), Endpoints: f.endpoints, Timeout: mirrorTimeout,
	}
	if f.model.WithoutBody || r.Head.Body == http1.BodyNone {
		copies.send(s, 0)
		return nil
	}
	r.BodyCopy = &BodyCopy{copies: copies, request: s}
	return nil
}

// target returns the URL of the copy of a request.
func (f *Mirror) target(r *Request) string { return string(f.url.Append(nil, r, variable.AppendURL)) }

// Bounds of Copies.
const (
	maxCopies     = 512
	maxCopyBytes  = 1 << 20  // of one body
	maxCopiesSize = 64 << 20 // of all bodies
)

// Copies sends copies of requests in the background, within bounds of which each namespace has a share. It is safe for concurrent
// use.
type Copies struct {
	requests Subrequester
	dropped  func()

	active, bytes *Shares[string] // by namespace
}

// NewCopies returns a Copies that sends copies by requests. dropped is called for each copy that is not sent because of a
// bound, or because the client did not send the whole body.
func NewCopies(requests Subrequester, dropped func()) *Copies {
	return &Copies{requests, dropped, NewShares[string](maxCopies), NewShares[string](maxCopiesSize)}
}

// begin counts a copy, and returns false if there are too many.
func (c *Copies) begin(namespace string) bool {
	if c.active.Take(namespace, 1) {
		return true
	}
	c.dropped()
	return false
}

// send sends a copy, whose body has that many bytes, in the background.
func (c *Copies) send(s *Subrequest, size int64) {
	go func() {
		defer c.end(s.Namespace, size)
		_, _ = c.requests.Do(s) // counted there; clients do not learn of it
	}()
}

func (c *Copies) drop(namespace string, size int64) {
	c.end(namespace, size)
	c.dropped()
}

func (c *Copies) end(namespace string, size int64) {
	c.active.Return(namespace, 1)
	c.bytes.Return(namespace, size)
}

// BodyCopy collects the body of a copy. A nil BodyCopy ignores all calls. It is used by one goroutine at a time.
type BodyCopy struct {
	copies  *Copies
	request *Subrequest // nil after the copy was sent or dropped
	size    int64
}

// Add adds a span of the body, which it copies.
func (b *BodyCopy) Add(span []byte) {
	if b == nil || b.request == nil || len(span) == 0 {
		return
	}
	n := int64(len(span))
	if b.size+n > maxCopyBytes || !b.copies.bytes.Take(b.request.Namespace, n) {
		b.drop()
		return
	}
	b.size += n
	b.request.Body = append(b.request.Body, span...)
}

// End sends the copy, because the body is complete.
func (b *BodyCopy) End() {
	if b == nil || b.request == nil {
		return
	}
	b.copies.send(b.request, b.size)
	b.request = nil
}

// Abort drops the copy unless it was sent.
func (b *BodyCopy) Abort() {
	if b != nil && b.request != nil {
		b.drop()
	}
}

func (b *BodyCopy) drop() {
	b.copies.drop(b.request.Namespace, b.size)
	b.request = nil
}

var _ RequestFilter = (*Mirror)(nil)

// Purposes of Subrequests, for metrics.
const (
	PurposeAuth      = "auth"
	PurposeErrorPage = "error-page"
	PurposeMirror    = "mirror"
)
