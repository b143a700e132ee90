package filter

import "github.com/limpet-dev/limpet/pkg/http1"

// TransportSecurity tells browsers to come back over TLS only (HSTS). It is said over TLS only (RFC 6797 section 7.2), be it
// that of a trusted proxy, and it replaces what the app says: browsers go by the first of several fields (section 8.1).
type TransportSecurity struct{ value []byte }

var strictTransportSecurity = []byte("Strict-Transport-Security")

// NewTransportSecurity returns a filter that sets Strict-Transport-Security to value, or nil for an empty value.
func NewTransportSecurity(value string) Filter {
	if value == "" {
		return nil
	}
	return &TransportSecurity{[]byte(value)}
}

// Name is part of Filter.
func (*TransportSecurity) Name() string { return "transport-security" }

// FilterResponse is part of ResponseFilter.
func (f *TransportSecurity) FilterResponse(r *Request, head *http1.Response) {
	if r.Scheme() == "https" {
		head.Set(strictTransportSecurity, f.value)
	}
}
