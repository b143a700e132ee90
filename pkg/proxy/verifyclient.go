package proxy

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
)

// verifyClient returns the result of the verification of the client certificate of a connection. The handshake has verified it,
// unless clients are refused by a response.
func verifyClient(state *tls.ConnectionState, c *model.ClientCertificates, now time.Time) filter.ClientState {
	switch {
	case len(state.PeerCertificates) == 0:
		return filter.ClientWithoutCertificate
	case len(state.VerifiedChains) > 0:
		return filter.ClientVerified
	case !c.InResponse: // cannot happen: see tlsConfigs.newConfig
		return filter.ClientInvalid
	}
	return verifyChain(state.PeerCertificates, c, now)
}

// verifyChain verifies the certificates of a client as OpenSSL does for nginx: the chain must end at a root among the CAs, and
// must have at most MaxIntermediates CAs between the client and the root.
func verifyChain(sent []*x509.Certificate, c *model.ClientCertificates, now time.Time) filter.ClientState {
	o := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, ca := range c.CAs {
		if bytes.Equal(ca.RawSubject, ca.RawIssuer) {
			o.Roots.AddCert(ca)
		} else {
			o.Intermediates.AddCert(ca)
		}
	}
	for _, ca := range sent[1:] {
		o.Intermediates.AddCert(ca)
	}
	chains, err := sent[0].Verify(o)
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		if now.Before(sent[0].NotBefore) || now.After(sent[0].NotAfter) {
			return filter.ClientInvalid
		}
		return filter.ClientOfUnknownIssuer
	}
	const ends = 2 // the client and the root
	for _, chain := range chains {
		if len(chain) <= c.MaxIntermediates+ends {
			return filter.ClientVerified
		}
	}
	return filter.ClientInvalid
}
