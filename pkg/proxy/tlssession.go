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

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// tlsSession is what the handshake of a connection has come to. It does not change afterwards.
type tlsSession struct {
	name    string // the host that the client named, in lower case; "" if it named none
	version model.TLSVersion
	// host is what was asked of the client in the handshake: its table may be gone since. Nil: nothing.
	host *model.Host
	// identity are the fields that tell pods who the client is.
	identity []byte
}

type tlsSessionKey struct{}

// newTLSSession gives a session and the context for its handshake, in which tlsConfigs notes what was asked for.
func newTLSSession() (context.Context, *tlsSession) {
	session := new(tlsSession)
	return context.WithValue(context.Background(), tlsSessionKey{}, session), session
}

// handshake takes a connection from its first byte to where it can be served.
func (c *client) handshake(conn *http1.LazyTLS) error {
	ctx, session := newTLSSession()
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	c.session = session
	state := conn.ConnectionState()
	return session.begin(&state)
}

// begin notes what was agreed on. It fails where the client is somebody whom pods cannot be told about.
func (s *tlsSession) begin(state *tls.ConnectionState) (err error) {
	s.name, s.version = strings.ToLower(state.ServerName), model.TLSVersion(state.Version)
	if s.host == nil || s.host.Clients == nil {
		return nil
	}
	if s.identity, err = identify(state, s.host.Clients); err != nil {
		return err
	}
	if len(s.identity) > maxIdentity {
		return fmt.Errorf("the names and the certificate of the client are %d bytes, above %d", len(s.identity), maxIdentity)
	}
	return nil
}

// maxIdentity bounds what each request of a client carries to the pod because of its certificate.
const maxIdentity = 16 << 10

// nobody are the fields for a client that has shown no certificate, where it need not.
const nobody = "ssl-client-verify: NONE\r\n"

// identify writes the fields that tell pods who the client is, by the names that ingress-nginx gives them.
func identify(state *tls.ConnectionState, c *model.ClientCertificates) ([]byte, error) {
	if len(state.PeerCertificates) == 0 {
		return []byte(nobody), nil
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

// appendIdentity tells the pod of a route that asks for certificates who the client is. Nobody else may say so: the
// fields are never taken from a client.
func (x *exchange) appendIdentity(b []byte) []byte {
	switch {
	case x.route.Clients == nil:
		return b
	case x.session == nil:
		return append(b, nobody...)
	}
	return append(b, x.session.identity...)
}
