package translate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// keyPair is the result of reading a TLS Secret.
type keyPair struct {
	*model.Certificate // may be nil
	// err is the error of an invalid Secret. The Certificate is then the previous one of the Secret, if there was one.
	err error
}

// defaultCertificate returns the default certificate, or nil. The first call reads it, and opens the Report of its Secret.
func (b *builder) defaultCertificate() *model.Certificate {
	name := b.options.DefaultCertificate
	if name.Name == "" || b.certs.hasDefault {
		return b.certs.byDefault
	}
	b.certs.hasDefault = true
	about := model.Ref{Kind: model.KindSecret, Namespace: name.Namespace, Name: name.Name}
	b.reports.open(about, 0)
	b.certs.byDefault = b.certificateOf(about, about, "", "Unknown hosts get a self-signed certificate")
	if c := b.certs.byDefault; c != nil {
		c.ServerNames = append(c.ServerNames, "")
	}
	return b.certs.byDefault
}

// certificate returns the Certificate of a TLS section. It returns nil and reports a Problem if there is no certificate.
func (b *builder) certificate(d *description, section *tlsDescription) *model.Certificate {
	if section.secret.Name != "" {
		return b.certificateOf(d.ref, section.secret, section.secretField, "No certificate is served for these hosts")
	}
	c := b.defaultCertificate()
	if c == nil {
		b.reports.add(d.ref, ReasonSecretNotFound, section.secretField,
			"the section names no Secret, and there is no default certificate: no certificate is served for these hosts")
	}
	return c
}

// certificateOf returns the Certificate of a Secret, or nil. otherwise describes for messages how hosts are served without.
func (b *builder) certificateOf(about, ref model.Ref, field, otherwise string) *model.Certificate {
	_, key := b.refer(ref.Kind, ref.Namespace, ref.Name)
	secret := b.lookups.secret(key)
	if secret == nil {
		b.reports.add(about, ReasonSecretNotFound, field, "%s does not exist. %s until it does", ref, otherwise)
		return nil
	}
	pair := b.keyPair(ref, secret)
	if pair.err != nil {
		if pair.Certificate != nil {
			otherwise = "Its previous certificate stays in use"
		}
		b.reports.add(about, ReasonInvalidSecret, field, "%s: %s. %s", ref, pair.err, otherwise)
	}
	if pair.Certificate != nil {
		b.checkDates(about, pair.Certificate, field)
	}
	return pair.Certificate
}

func (b *builder) checkDates(about model.Ref, c *model.Certificate, field string) {
	leaf := c.Pair.Leaf
	b.revisit(leaf.NotBefore)
	b.revisit(leaf.NotAfter)
	// At NotAfter itself the certificate counts as expired, because revisit returns no time for it any more.
	if now := b.now; !now.IsZero() && (now.Before(leaf.NotBefore) || !now.Before(leaf.NotAfter)) {
		state, at := "expired at", leaf.NotAfter
		if now.Before(leaf.NotBefore) {
			state, at = "is not valid before", leaf.NotBefore
		}
		b.reports.add(about, ReasonCertificateOutOfDate, field,
			"the certificate of %s %s %s. It is served anyway, and clients reject it",
			c.Secret, state, at.UTC().Format(time.RFC3339))
	}
}

// revisit sets Result.Next to a time in the future, if that is earlier.
func (b *builder) revisit(at time.Time) {
	if !b.now.IsZero() && at.After(b.now) && (b.next.IsZero() || at.Before(b.next)) {
		b.next = at
	}
}

// keyPair reads a TLS Secret. If the Secret is invalid, its previous certificate stays in use, so that a mistake during a
// rotation does not affect clients.
func (b *builder) keyPair(ref model.Ref, secret *corev1.Secret) keyPair {
	if known, ok := b.certs.read[ref]; ok {
		return known
	}
	pair := keyPair{Certificate: withoutNames(b.lookups.certificateInUse(ref, secret))}
	if pair.Certificate == nil || !parsedFrom(pair.Certificate, secret) {
		parsed, err := parsePair(secret)
		if err == nil {
			pair.Certificate = newCertificate(ref, secret, parsed)
		}
		pair.err = err
	}
	b.certs.read[ref] = pair
	return pair
}

// withoutNames returns a copy of a Certificate without server names. c may be nil.
func withoutNames(c *model.Certificate) *model.Certificate {
	if c == nil {
		return nil
	}
	again := *c
	again.ServerNames = nil
	return &again
}

func parsedFrom(c *model.Certificate, secret *corev1.Secret) bool {
	return bytes.Equal(c.CertPEM, secret.Data[corev1.TLSCertKey]) &&
		bytes.Equal(c.KeyPEM, secret.Data[corev1.TLSPrivateKeyKey])
}

// parsePair parses the certificate and the key of a Secret. Its errors never contain data of the Secret.
func parsePair(secret *corev1.Secret) (*tls.Certificate, error) {
	for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if len(secret.Data[key]) == 0 {
			return nil, fmt.Errorf("it has no %s", key)
		}
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, fmt.Errorf("its certificate and key cannot be used: %w", err)
	}
	return &pair, nil
}

func newCertificate(ref model.Ref, secret *corev1.Secret, pair *tls.Certificate) *model.Certificate {
	chain := secret.Data[corev1.TLSCertKey]
	sum := sha256.Sum256(chain)
	return &model.Certificate{
		Secret:      ref,
		Algorithm:   pair.Leaf.PublicKeyAlgorithm.String(),
		Fingerprint: hex.EncodeToString(sum[:]),
		Pair:        pair,
		CertPEM:     chain,
		KeyPEM:      secret.Data[corev1.TLSPrivateKeyKey],
	}
}

// covers reports whether a certificate is valid for a host. For a wildcard host it checks one name below it.
func covers(leaf *x509.Certificate, host string) bool {
	if base, wildcard := strings.CutPrefix(host, "*."); wildcard {
		host = "any." + base
	}
	return leaf.VerifyHostname(host) == nil
}
