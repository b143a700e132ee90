package filter

import "github.com/limpet-dev/limpet/pkg/http1"

// Filter is a RequestFilter, a ResponseFilter or both.
type Filter interface {
	// Name identifies the kind of filter in traces, in lower case with dashes: "client-certificates".
	Name() string
}

// RequestFilter runs after the route of a request is known, and before its backend is chosen.
//
// It runs on the goroutine of the request, so it may block as long as it bounds the wait.
type RequestFilter interface {
	Filter
	// FilterRequest returns nil to let the request go on, or the response to send instead of forwarding it. Then no later
	// filter sees the request. The caller does not modify the response, so that a filter may return the same one each time.
	FilterRequest(r *Request) *Response
}

// ResponseFilter runs on the head of a response before it is sent, whether it comes from a pod or from Limpet itself. It does
// not run on interim (1xx) responses.
type ResponseFilter interface {
	Filter
	// FilterResponse may add, replace and withhold fields of head. It must not change the status or the framing.
	FilterResponse(r *Request, head *http1.Response)
}

// Protector is a RequestFilter that restricts access to a route. A route whose protection cannot be enforced must not be
// served, so such filters can be told from those that only change a message.
type Protector interface {
	RequestFilter
	// Protects reports whether this instance restricts access.
	Protects() bool
}

// Chain is the filters of a route in the order in which they run. The zero value has none.
type Chain struct {
	requests  []RequestFilter
	responses []ResponseFilter
}

// Add appends f to the chain on each side that it implements. A nil Filter is ignored.
func (c *Chain) Add(f Filter) {
	if f, ok := f.(RequestFilter); ok {
		c.requests = append(c.requests, f)
	}
	if f, ok := f.(ResponseFilter); ok {
		c.responses = append(c.responses, f)
	}
}

// FilterRequest runs the request filters up to the first one that returns a response, and returns that. It returns nil if the
// request may go on.
func (c *Chain) FilterRequest(r *Request) *Response {
	for _, f := range c.requests {
		if resp := f.FilterRequest(r); resp != nil {
			return resp
		}
	}
	return nil
}

// FilterResponse runs the response filters on head.
func (c *Chain) FilterResponse(r *Request, head *http1.Response) {
	for _, f := range c.responses {
		f.FilterResponse(r, head)
	}
}

// Trace does what FilterRequest does, and calls ran after each filter with the response that it returned.
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
