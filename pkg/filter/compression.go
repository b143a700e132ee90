package filter

import "github.com/limpet-dev/limpet/pkg/model"

// Compression allows to compress responses. Exchange compresses the body.
type Compression struct{ model *model.Compression }

// NewCompression returns a filter with these settings, or nil if m is nil.
func NewCompression(m *model.Compression) Filter {
	if m == nil {
		return nil
	}
	return Compression{m}
}

// Name implements Filter.
func (Compression) Name() string { return "compression" }

// FilterRequest implements RequestFilter.
func (f Compression) FilterRequest(r *Request) *Response {
	r.Compression = f.model
	return nil
}
