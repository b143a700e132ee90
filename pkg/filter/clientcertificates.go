package filter

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/model"
)

// ClientCertificates refuses requests that come over a connection which their route may not be reached over.
//
// A request for another host than the client named in the handshake is served where the certificate covers that host too, and
// the handshake for it would have come to the same. Otherwise the client is told to connect once more (RFC 9110 section
// 15.5.20). That holds for routes without client certificates as well, so that every route has this filter.
type ClientCertificates struct{ want *model.ClientCertificates }

// NewClientCertificates returns a filter for a route that asks for these certificates. Nil asks for none.
func NewClientCertificates(want *model.ClientCertificates) Filter { return &ClientCertificates{want} }

var (
	notCleartext = NewText(http.StatusForbidden, "This host asks clients for certificates, and is served over TLS only.")
	notVerified  = NewText(http.StatusForbidden, "This path asks clients for other certificates than its host does.")
	misdirected  = NewText(http.StatusMisdirectedRequest, "This host is not served over this connection.")
)

// Name is part of Filter.
func (*ClientCertificates) Name() string { return "client-certificates" }

// Protects is part of Protector.
func (f *ClientCertificates) Protects() bool { return f.want != nil }

// FilterRequest is part of RequestFilter.
func (f *ClientCertificates) FilterRequest(r *Request) *Response {
	s := r.TLS
	if s == nil {
		if f.want != nil && f.want.Required {
			return notCleartext
		}
		return nil
	}
	if string(r.Host) != s.ServerName && !coalesces(r) {
		return misdirected
	}
	if f.want == nil || f.want.Fingerprint == s.Host.ClientFingerprint() {
		return nil
	}
	if r.Hosts.TLS(r.Host).ClientFingerprint() == f.want.Fingerprint {
		return misdirected // the table has changed since the handshake
	}
	return notVerified
}

// coalesces reports whether a connection may be used for another host than it was made for. A client that named no host in
// its handshake has checked the certificate itself, and so has a trusted proxy: it may know Limpet by a name of its own.
func coalesces(r *Request) bool {
	s, h := r.TLS, r.Hosts.TLS(r.Host)
	if h.ClientFingerprint() != s.Host.ClientFingerprint() || h != nil && s.Version < h.MinVersion {
		return false
	}
	return s.ServerName == "" || r.Trusted || r.Certificates.Covers(s.ServerName, string(r.Host))
}

var _ Protector = (*ClientCertificates)(nil)
