package filter

import (
	"net/http"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// ClientState is the result of the verification of a client certificate.
type ClientState uint8

// The results of the verification. Only hosts whose clients are refused by a response have the last two.
const (
	ClientWithoutCertificate ClientState = iota
	ClientVerified
	ClientOfUnknownIssuer // the certificate is valid, except that no CA of the host has issued it
	ClientInvalid
)

// clientRules are the rules for clients that are refused by a response instead of in the handshake, as nginx does.
type clientRules struct {
	*model.ClientCertificates
	subject              *pattern.Pattern // nil: any
	missing, notAccepted *Response
}

var (
	certificateMissing = NewText(http.StatusBadRequest, "No required client certificate was sent.")
	certificateInvalid = NewText(http.StatusBadRequest, "The client certificate is not valid.")
	subjectRefused     = NewText(http.StatusForbidden, "This client certificate may not access the host.")
)

// newClientRules returns nil if clients are refused in the handshake only.
func newClientRules(m *model.ClientCertificates) *clientRules {
	if m == nil || !m.InResponse {
		return nil
	}
	rules := &clientRules{ClientCertificates: m, missing: certificateMissing, notAccepted: certificateInvalid}
	if m.ErrorPage != "" {
		redirect := NewText(http.StatusFound, "The client certificate is not valid.").With([]byte("Location"), []byte(m.ErrorPage))
		rules.missing, rules.notAccepted = redirect, redirect
	}
	if m.Subject != "" {
		rules.subject, _ = pattern.Compile(m.Subject) // translation has refused invalid ones; nil refuses all clients
	}
	return rules
}

// refuse returns the response to a client that the rules do not admit, or nil. c may be nil.
func (c *clientRules) refuse(s *TLSSession) *Response {
	switch {
	case c == nil:
		return nil
	case len(c.CAs) == 0:
		return routeClosed
	case s.ClientState == ClientInvalid, s.ClientState == ClientOfUnknownIssuer && !c.IgnoresIssuer:
		return c.notAccepted
	case s.ClientState == ClientWithoutCertificate && c.Required:
		return c.missing
	case c.Subject != "" && (c.subject == nil || len(s.Subject) == 0 || !c.subject.Match(s.Subject)):
		return subjectRefused
	}
	return nil
}
