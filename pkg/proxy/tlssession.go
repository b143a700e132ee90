package proxy

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

type tlsSessionKey struct{}

// newTLSSession returns a session and the handshake context through which tlsConfigs records the host in it.
func newTLSSession() (context.Context, *filter.TLSSession) {
	session := new(filter.TLSSession)
	return context.WithValue(context.Background(), tlsSessionKey{}, session), session
}

// handshake runs the TLS handshake and sets the TLS session of the connection.
func (c *client) handshake(conn *http1.LazyTLS) error {
	ctx, session := newTLSSession()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.TLS = session
	state := conn.ConnectionState()
	return recordSession(session, &state)
}

// recordSession records the result of the handshake in s. It fails if the client certificate cannot be forwarded to pods.
func recordSession(s *filter.TLSSession, state *tls.ConnectionState) (err error) {
	s.ServerName, s.Version = strings.ToLower(state.ServerName), model.TLSVersion(state.Version)
	if s.Host == nil || s.Host.Clients == nil {
		return nil
	}
	s.ClientState = verifyClient(state, s.Host.Clients, time.Now())
	if err = (tlsSession{s}).setIdentity(state); err != nil {
		return err
	}
	if s.ClientState == filter.ClientVerified {
		s.Certificate = certificateHash(state.PeerCertificates[0])
	}
	if len(s.Identity) > maxIdentity {
		return fmt.Errorf("proxy: client certificate fields have %d bytes, more than the limit of %d", len(s.Identity), maxIdentity)
	}
	return nil
}

// maxIdentity is the maximum size of the client certificate fields that are added to each request.
const maxIdentity = 16 << 10

// tlsSession adds methods to the session of a connection.
type tlsSession struct{ *filter.TLSSession }

// setIdentity sets the header fields that identify the client to pods, with the names that ingress-nginx uses. A client whose
// certificate is invalid is refused, so it gets no fields.
func (s tlsSession) setIdentity(state *tls.ConnectionState) error {
	verify := "SUCCESS"
	switch s.ClientState {
	case filter.ClientWithoutCertificate:
		s.Identity = []byte(exchange.NoClientCertificate)
		return nil
	case filter.ClientInvalid:
		return nil
	case filter.ClientOfUnknownIssuer:
		verify = "FAILED:unable to verify the first certificate"
	}
	leaf := state.PeerCertificates[0]
	subject, err := distinguishedName(leaf.RawSubject)
	if err != nil {
		return err
	}
	issuer, err := distinguishedName(leaf.RawIssuer)
	if err != nil {
		return err
	}
	s.Subject = []byte(subject)
	s.Identity = fmt.Appendf(nil, "ssl-client-verify: %s\r\nssl-client-subject-dn: %s\r\nssl-client-issuer-dn: %s\r\n",
		verify, subject, issuer)
	if s.Host.Clients.Forward {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})
		s.Identity = fmt.Appendf(s.Identity, "ssl-client-cert: %s\r\n", strings.ReplaceAll(url.QueryEscape(string(text)), "+", "%20"))
	}
	return nil
}

// subjectAltName is the identifier of the extension (RFC 5280, section 4.2.1.6).
var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// certificateHash returns the hash of the names in a certificate. It has no serial number, validity or key, because these
// change when the certificate is renewed.
func certificateHash(leaf *x509.Certificate) []byte {
	sum := sha256.New()
	write := func(name []byte) {
		sum.Write(binary.BigEndian.AppendUint32(nil, uint32(len(name))))
		sum.Write(name)
	}
	write(leaf.RawSubject)
	for i := range leaf.Extensions {
		if leaf.Extensions[i].Id.Equal(subjectAltName) {
			write(leaf.Extensions[i].Value)
		}
	}
	return sum.Sum(nil)
}

// distinguishedName formats a DER name as specified by RFC 2253. It escapes every byte that is not printable ASCII, because a
// name may contain line breaks.
func distinguishedName(der []byte) (string, error) {
	var names pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &names); err != nil {
		return "", fmt.Errorf("proxy: invalid name in client certificate: %w", err)
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
