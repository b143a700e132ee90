package translate

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// certificates collects the Certificates of one Build, those of older Ingresses first.
type certificates struct {
	secretOf map[string]model.Ref // by server name
	bySecret map[model.Ref]*model.Certificate
}

func (c *certificates) sorted() []model.Certificate {
	var out []model.Certificate
	for _, certificate := range c.bySecret {
		if len(certificate.ServerNames) == 0 {
			continue
		}
		slices.Sort(certificate.ServerNames)
		out = append(out, *certificate)
	}
	slices.SortFunc(out, func(a, b model.Certificate) int { return compareRefs(a.Secret, b.Secret) })
	return out
}

func (b *builder) translateTLS(s *source) {
	for i := range s.Spec.TLS {
		section, field := &s.Spec.TLS[i], fmt.Sprintf("spec.tls[%d]", i)
		certificate, leaf := b.certificate(s, section, field+".secretName")
		if certificate == nil {
			continue
		}
		for _, name := range b.serverNames(s, section, field+".hosts") {
			b.serve(s, certificate, leaf, name, field)
		}
	}
}

// serverNames are the hosts that the section lists or, if it lists none, those of the rules.
func (b *builder) serverNames(s *source, section *networkingv1.IngressTLS, field string) []string {
	if len(section.Hosts) == 0 {
		return ruleHosts(s)
	}
	var out []string
	for i, host := range section.Hosts {
		if wrong := checkHost(host); wrong != "" {
			b.reports.add(s.ref, ReasonInvalidHost, fmt.Sprintf("%s[%d]", field, i),
				"host %s %s. No certificate is served for it", quote(host), wrong)
			continue
		}
		out = append(out, host)
	}
	return out
}

// ruleHosts leaves out hosts that are wrong: the rule has said so. Where an Ingress routes any host, that is "".
func ruleHosts(s *source) []string {
	var out []string
	for i := range s.Spec.Rules {
		if host := s.Spec.Rules[i].Host; checkHost(host) == "" && !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	if len(s.Spec.Rules) == 0 {
		out = append(out, "")
	}
	return out
}

// certificate gives the key pair of a TLS section with its first certificate, or names the Problem.
func (b *builder) certificate(
	s *source, section *networkingv1.IngressTLS, field string,
) (*model.Certificate, *x509.Certificate) {
	if section.SecretName == "" {
		b.reports.add(s.ref, ReasonSecretNotFound, field, "no Secret is named: no certificate is served for these hosts")
		return nil, nil
	}
	ref, key := b.refer("Secret", s.Namespace, section.SecretName)
	secret := b.secrets[key]
	if secret == nil {
		b.reports.add(s.ref, ReasonSecretNotFound, field,
			"%s does not exist: no certificate is served for these hosts until it does", ref)
		return nil, nil
	}
	leaf, err := parsePair(secret)
	if err != nil {
		b.reports.add(s.ref, ReasonInvalidSecret, field, "%s: %s. No certificate is served for these hosts", ref, err)
		return nil, nil
	}
	if known := b.certs.bySecret[ref]; known != nil {
		return known, leaf
	}
	certificate := newCertificate(ref, secret)
	b.certs.bySecret[ref] = certificate
	return certificate, leaf
}

// parsePair sees that the Secret's certificate and key fit together. Its errors never quote from the Secret.
func parsePair(secret *corev1.Secret) (*x509.Certificate, error) {
	for _, key := range []string{corev1.TLSCertKey, corev1.TLSPrivateKeyKey} {
		if len(secret.Data[key]) == 0 {
			return nil, fmt.Errorf("it has no %s", key)
		}
	}
	pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
	if err != nil {
		return nil, fmt.Errorf("its certificate and key cannot be used: %w", err)
	}
	return pair.Leaf, nil
}

func newCertificate(ref model.Ref, secret *corev1.Secret) *model.Certificate {
	chain := secret.Data[corev1.TLSCertKey]
	sum := sha256.Sum256(chain)
	return &model.Certificate{
		Secret:      ref,
		Fingerprint: hex.EncodeToString(sum[:]),
		CertPEM:     chain,
		KeyPEM:      secret.Data[corev1.TLSPrivateKeyKey],
	}
}

// serve presents a certificate for a server name, unless an older Ingress has another one for it.
func (b *builder) serve(s *source, c *model.Certificate, leaf *x509.Certificate, name, field string) {
	if owner, taken := b.certs.secretOf[name]; taken {
		if owner != c.Secret {
			b.reports.add(s.ref, ReasonCertificateConflict, field,
				"host %s is served with %s already, which an older section names: %s is not used for it",
				quote(name), owner, c.Secret)
		}
		return
	}
	b.certs.secretOf[name] = c.Secret
	c.ServerNames = append(c.ServerNames, name)
	if name != "" && !covers(leaf, name) {
		b.reports.add(s.ref, ReasonHostNotInCertificate, field,
			"the certificate of %s was not made for host %s: clients will refuse it", c.Secret, quote(name))
	}
}

// covers asks for any one name below a wildcard host.
func covers(leaf *x509.Certificate, host string) bool {
	if base, wildcard := strings.CutPrefix(host, "*."); wildcard {
		host = "any." + base
	}
	return leaf.VerifyHostname(host) == nil
}
