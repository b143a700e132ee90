package filter

import "github.com/limpet-dev/limpet/pkg/model"

// TLSOnly refuses cleartext requests to a route that requires client certificates. It runs after the redirects to HTTPS.
//
// Routes for ACME challenges are exempt, as in ClientCertificates.
type TLSOnly struct{}

// NewTLSOnly returns a filter for a route with these client certificates, or nil if cleartext is served. isChallenge is
// model.Route.ServesChallenges.
func NewTLSOnly(want *model.ClientCertificates, isChallenge bool) Filter {
	if want == nil || !want.Required && want.Subject == "" || isChallenge {
		return nil
	}
	return TLSOnly{}
}

// Name implements Filter.
func (TLSOnly) Name() string { return "tls-only" }

// Protects implements Protector.
func (TLSOnly) Protects() bool { return true }

// FilterRequest implements RequestFilter.
func (TLSOnly) FilterRequest(r *Request) *Response {
	if r.TLS == nil {
		return notCleartext
	}
	return nil
}

var _ Protector = TLSOnly{}
