package filter

// Refusal responds to every request with the same response. It is the only filter of a route that matching returns for a
// request that must not be served.
type Refusal struct{ response *Response }

// NewRefusal returns a filter that sends that response.
func NewRefusal(response *Response) Filter { return &Refusal{response} }

// Name implements Filter.
func (*Refusal) Name() string { return "refusal" }

// FilterRequest implements RequestFilter.
func (f *Refusal) FilterRequest(*Request) *Response { return f.response }

var _ RequestFilter = (*Refusal)(nil)
