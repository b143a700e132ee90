package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

type tlsSessionKey struct{}

// newTLSSession gives a session and the context for its handshake, in which tlsConfigs notes what was asked for.
func newTLSSession() (context.Context, *filter.TLSSession) {
	session := new(filter.TLSSession)
	return context.WithValue(context.Background(), tlsSessionKey{}, session), session
}

// handshake takes a connection from its first byte to where it can be served.
func (c *client) handshake(conn *http1.LazyTLS) error {
	ctx, session := newTLSSession()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.TLS = session
	state := conn.ConnectionState()
	return recordSession(session, &state)
}

// beginSession notes what was agreed on. It fails where the client is somebody whom pods cannot be told about.
func recordSession(s *filter.TLSSession, state *tls.ConnectionState) (err error) {
	s.ServerName, s.Version = strings.ToLower(state.ServerName), model.TLSVersion(state.Version)
	if s.Host == nil || s.Host.Clients == nil {
		return nil
	}
	if s.Identity, err = identityFields(state, s.Host.Clients); err != nil {
		return err
	}
	if len(s.Identity) > maxIdentity {
		return fmt.Errorf("the names and the certificate of the client are %d bytes, above %d", len(s.Identity), maxIdentity)
	}
	return nil
}

// maxIdentity bounds what each request of a client carries to the pod because of its certificate.
const maxIdentity = 16 << 10

// identify writes the fields that tell pods who the client is, by the names that ingress-nginx gives them.
func identityFields(state *tls.ConnectionState, c *model.ClientCertificates) ([]byte, error) {
	if len(state.PeerCertificates) == 0 {
		return []byte(exchange.NoIdentity), nil
	}
	if len(state.VerifiedChains) == 0 { // cannot be: see tlsConfigs.make
		return nil, errors.New("the certificate of the client was not verified")
	}
	leaf := state.PeerCertificates[0]
	subject, err := distinguishedName(leaf.RawSubject)
	if err != nil {
		return nil, err
	}
	issuer, err := distinguishedName(leaf.RawIssuer)
	if err != nil {
		return nil, err
	}
	b := fmt.Appendf(nil, "ssl-client-verify: SUCCESS\r\nssl-client-subject-dn: %s\r\nssl-client-issuer-dn: %s\r\n", subject, issuer)
	if c.Forward {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
		b = fmt.Appendf(b, "ssl-client-cert: %s\r\n", strings.ReplaceAll(url.QueryEscape(string(text)), "+", "%20"))
	}
	return b, nil
}

// distinguishedName writes a DER name as RFC 2253 says. What is not printable ASCII is escaped byte by byte: a name may
// hold line ends.
func distinguishedName(der []byte) (string, error) {
	var names pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &names); err != nil {
		return "", fmt.Errorf("a name in the certificate of the client: %w", err)
	}
	var b strings.Builder
	for _, c := range []byte(names.String()) {
		if c < ' ' || c > '~' {
			fmt.Fprintf(&b, `\%02X`, c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}
