package filter

import "github.com/limpet-dev/limpet/pkg/http1"

// TransportSecurity makes browsers use only TLS (HSTS). It sets the field only on responses over TLS (RFC 6797 section
// 7.2), which may be the TLS of a trusted proxy. It replaces the field of the app, because browsers use the first of
// several fields (section 8.1).
type TransportSecurity struct{ value []byte }

var strictTransportSecurity = []byte("Strict-Transport-Security")

// NewTransportSecurity returns a filter that sets Strict-Transport-Security to value, or nil for an empty value.
func NewTransportSecurity(value string) Filter {
	if value == "" {
		return nil
	}
	return &TransportSecurity{[]byte(value)}
}

// Name implements Filter.
func (*TransportSecurity) Name() string { return "transport-security" }

// FilterResponse implements ResponseFilter.
func (f *TransportSecurity) FilterResponse(r *Request, head *http1.Response) {
	if r.Secure() {
		head.Set(strictTransportSecurity, f.value)
	}
}
