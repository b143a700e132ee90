package filter

import "github.com/limpet-dev/limpet/pkg/http1"

// Filter is a RequestFilter, a PodResponseFilter, a ResponseFilter, or several of them.
type Filter interface {
	// Name identifies the kind of filter in traces, in lower case with dashes: "client-certificates".
	Name() string
}

// RequestFilter runs after the route of a request is selected and before its backend is chosen.
//
// It runs on the goroutine of the request. It may block if it bounds the wait.
type RequestFilter interface {
	Filter
	// FilterRequest returns nil if the request may proceed, or the response to send instead. After a response, no
	// later filter runs. Callers must not modify the response, so a filter may return the same one each time.
	FilterRequest(r *Request) *Response
}

// ResponseFilter runs on the head of a response before it is sent, for responses of pods and of Limpet itself. It does
// not run on interim (1xx) responses.
type ResponseFilter interface {
	Filter
	// FilterResponse may add, replace and withhold fields of head. It must not change the status or the framing.
	FilterResponse(r *Request, head *http1.Response)
}

// PodResponseFilter runs on the head of a pod's response before the token of the session is added to it. It does not run on
// interim (1xx) responses, nor on those of Limpet itself.
type PodResponseFilter interface {
	Filter
	// FilterPodResponse may add, replace and withhold fields of head. It must not change the status or the framing.
	FilterPodResponse(r *Request, head *http1.Response)
}

// Protector is a RequestFilter that restricts access to a route. A route whose protection cannot be enforced must not
// be served, so these filters are distinguished from others.
type Protector interface {
	RequestFilter
	// Protects reports whether this instance restricts access.
	Protects() bool
}

// Chain contains the filters of a route in execution order. The zero value is empty.
type Chain struct {
	requests     []RequestFilter
	podResponses []PodResponseFilter
	responses    []ResponseFilter
}

// Add appends f to the chain on each side that it implements. A nil Filter is ignored.
func (c *Chain) Add(f Filter) {
	if f, ok := f.(RequestFilter); ok {
		c.requests = append(c.requests, f)
	}
	if f, ok := f.(PodResponseFilter); ok {
		c.podResponses = append(c.podResponses, f)
	}
	if f, ok := f.(ResponseFilter); ok {
		c.responses = append(c.responses, f)
	}
}

// FilterRequest runs the request filters until one returns a response, and returns that response. It returns nil if
// the request may proceed.
func (c *Chain) FilterRequest(r *Request) *Response {
	for _, f := range c.requests {
		if resp := f.FilterRequest(r); resp != nil {
			return resp
		}
	}
	return nil
}

// FilterPodResponse runs the filters of pods' responses on head.
func (c *Chain) FilterPodResponse(r *Request, head *http1.Response) {
	for _, f := range c.podResponses {
		f.FilterPodResponse(r, head)
	}
}

// FilterResponse runs the response filters on head.
func (c *Chain) FilterResponse(r *Request, head *http1.Response) {
	for _, f := range c.responses {
		f.FilterResponse(r, head)
	}
}

// Trace works like FilterRequest. It calls ran after each filter with the response that the filter returned.
func (c *Chain) Trace(r *Request, ran func(f RequestFilter, resp *Response)) *Response {
	for _, f := range c.requests {
		resp := f.FilterRequest(r)
		ran(f, resp)
		if resp != nil {
			return resp
		}
	}
	return nil
}

// Protects reports whether f restricts access to its route.
func Protects(f Filter) bool {
	p, ok := f.(Protector)
	return ok && p.Protects()
}

// ProtectsRoute reports whether a filter restricts access to the route alone. Client certificates do not count, because they
// apply to all routes of a host.
func (c *Chain) ProtectsRoute() bool {
	for _, f := range c.requests {
		if _, isHostWide := f.(*ClientCertificates); !isHostWide && Protects(f) {
			return true
		}
	}
	return false
}
