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
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// keyPair is what a TLS Secret comes to.
type keyPair struct {
	*model.Certificate // nil if there is none
	// wrong is what is wrong with the Secret. The Certificate is then the one that it held before, if it did.
	wrong error
}

// certificate gives the Certificate of a TLS section, or nil; what is wrong with it is a Problem.
func (b *builder) certificate(s *source, section *networkingv1.IngressTLS, field string) *model.Certificate {
	if section.SecretName == "" {
		b.reports.add(s.ref, ReasonSecretNotFound, field, "no Secret is named: no certificate is served for these hosts")
		return nil
	}
	ref, key := b.refer("Secret", s.Namespace, section.SecretName)
	secret := b.secrets[key]
	if secret == nil {
		b.reports.add(s.ref, ReasonSecretNotFound, field,
			"%s does not exist: no certificate is served for these hosts until it does", ref)
		return nil
	}
	pair := b.keyPair(ref, secret)
	b.reportPair(s.ref, ref, pair, field)
	return pair.Certificate
}

// reportPair tells what clients, or whoever rotates the Secret, should know.
func (b *builder) reportPair(about, secret model.Ref, pair keyPair, field string) {
	switch {
	case pair.wrong == nil:
	case pair.Certificate == nil:
		b.reports.add(about, ReasonInvalidSecret, field, "%s: %s. No certificate is served for these hosts",
			secret, pair.wrong)
		return
	default:
		b.reports.add(about, ReasonInvalidSecret, field, "%s: %s. The certificate that it held before stays in service",
			secret, pair.wrong)
	}
	leaf := pair.Pair.Leaf
	b.revisit(leaf.NotBefore)
	b.revisit(leaf.NotAfter)
	if now := b.now; !now.IsZero() && (now.Before(leaf.NotBefore) || now.After(leaf.NotAfter)) {
		b.reports.add(about, ReasonCertificateOutOfDate, field,
			"the certificate of %s is valid from %s until %s: it is served, and clients will refuse it",
			secret, leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
}

// revisit has the World translated again at that time, if it is still to come.
func (b *builder) revisit(at time.Time) {
	if !b.now.IsZero() && at.After(b.now) && (b.next.IsZero() || at.Before(b.next)) {
		b.next = at
	}
}

// keyPair reads a TLS Secret. One that cannot be used leaves in service what it held before: whoever rotates it has made
// a mistake, and clients are not to pay for that.
func (b *builder) keyPair(ref model.Ref, secret *corev1.Secret) keyPair {
	if known, ok := b.certs.read[ref]; ok {
		return known
	}
	pair := keyPair{Certificate: b.certs.inUse(ref)}
	if pair.Certificate == nil || !parsedFrom(pair.Certificate, secret) {
		parsed, err := parsePair(secret)
		if err == nil {
			pair.Certificate = newCertificate(ref, secret, parsed)
		}
		pair.wrong = err
	}
	b.certs.read[ref] = pair
	return pair
}

// inUse gives the Certificate that was made of a Secret before, for no server name yet.
func (c *certificates) inUse(secret model.Ref) *model.Certificate {
	before := c.before[secret]
	if before == nil {
		return nil
	}
	again := *before
	again.ServerNames = nil
	return &again
}

func parsedFrom(c *model.Certificate, secret *corev1.Secret) bool {
	return bytes.Equal(c.CertPEM, secret.Data[corev1.TLSCertKey]) &&
		bytes.Equal(c.KeyPEM, secret.Data[corev1.TLSPrivateKeyKey])
}

// parsePair sees that the Secret's certificate and key fit together. Its errors never quote from the Secret.
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

// covers asks for any one name below a wildcard host.
func covers(leaf *x509.Certificate, host string) bool {
	if base, wildcard := strings.CutPrefix(host, "*."); wildcard {
		host = "any." + base
	}
	return leaf.VerifyHostname(host) == nil
}
