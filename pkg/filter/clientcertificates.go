package filter

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/model"
)

// ClientCertificates refuses requests over a connection that does not meet the requirements of their route.
//
// A request may be for another host than the client named in the handshake. It is served if the certificate covers
// that host and the handshake requirements of both hosts are equal. Otherwise the response is 421, and the client
// opens another connection (RFC 9110 section 15.5.20). This applies to routes without client certificates too, so
// every route has this filter.
//
// Routes for ACME challenges are exempt over cleartext, where CAs request them (RFC 8555 section 8.3). Without a certificate
// there would be no TLS, and with a required client certificate the CA could not connect.
type ClientCertificates struct {
	required    *model.ClientCertificates
	rules       *clientRules // may be nil
	isChallenge bool         // the route serves nothing but ACME challenges
}

// NewClientCertificates returns a filter for a route. If want is nil, the route requires no client certificates. isChallenge is
// model.Route.ServesChallenges.
func NewClientCertificates(want *model.ClientCertificates, isChallenge bool) Filter {
	return &ClientCertificates{want, newClientRules(want), isChallenge}
}

var (
	notCleartext = NewText(http.StatusForbidden, "This host requires client certificates and is served over TLS only.")
	notVerified  = NewText(http.StatusForbidden, "This path requires other client certificates than its host.")
	misdirected  = NewText(http.StatusMisdirectedRequest, "This host is not served over this connection.")
)

// Name implements Filter.
func (*ClientCertificates) Name() string { return "client-certificates" }

// Protects implements Protector.
func (f *ClientCertificates) Protects() bool { return f.required != nil }

// FilterRequest implements RequestFilter.
func (f *ClientCertificates) FilterRequest(r *Request) *Response {
	s := r.TLS
	if s == nil {
		return f.filterCleartext()
	}
	if string(r.Host) != s.ServerName && !coalesces(r) {
		return misdirected
	}
	if f.required == nil || f.required.Fingerprint == s.Host.ClientFingerprint() {
		return f.rules.refuse(s)
	}
	if r.Hosts.TLS(r.Host).ClientFingerprint() == f.required.Fingerprint {
		return misdirected // the table changed after the handshake
	}
	return notVerified
}

// filterCleartext refuses cleartext requests to a route that is closed because its CAs are missing. TLSOnly refuses others.
func (f *ClientCertificates) filterCleartext() *Response {
	if f.rules != nil && len(f.rules.CAs) == 0 && !f.isChallenge {
		return routeClosed
	}
	return nil
}

// coalesces reports whether the connection may be used for a host that it was not opened for. A client that named no
// host has checked the certificate itself. So has a trusted proxy, which may use another name for Limpet.
func coalesces(r *Request) bool {
	s, h := r.TLS, r.Hosts.TLS(r.Host)
	if h.ClientFingerprint() != s.Host.ClientFingerprint() || h != nil && s.Version < h.MinVersion {
		return false
	}
	return s.ServerName == "" || r.Trusted || r.Certificates.Covers(s.ServerName, string(r.Host))
}

var _ Protector = (*ClientCertificates)(nil)
