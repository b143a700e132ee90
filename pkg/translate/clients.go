package translate

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations by which an Ingress requires client certificates.
const (
	// AnnotationClientCA names a Secret in the namespace of the Ingress, whose ca.crt verifies clients.
	AnnotationClientCA = annotationPrefix + "client-ca"
	// AnnotationClientCertificate is Required or Optional.
	AnnotationClientCertificate = annotationPrefix + "client-certificate"
	// AnnotationClientCertificateHeader is true or false. With true, requests to pods also contain the certificate itself.
	AnnotationClientCertificateHeader = annotationPrefix + "client-certificate-header"
)

// KeyCA is the key of the CA certificates in a Secret.
const KeyCA = "ca.crt"

// KeyCRL is the key of the revoked certificates in a Secret.
const KeyCRL = "ca.crl"

// clientSettings are the settings of an object for client certificates.
type clientSettings struct {
	secret   string // name of the Secret with the CAs
	hasCA    bool
	required bool
	forward  bool

	annotation       string // the annotation that names the Secret
	isNginx          bool   // the fields below apply, as in model.ClientCertificates
	ignoresIssuer    bool
	maxIntermediates int
	subject          string
	errorPage        string
}

// clientSettings reads the annotations about client certificates. It returns nil without annotations. It fails closed: if an
// annotation is invalid, a certificate is required, and without a CA no certificate is accepted.
func (r *annotationReader) clientSettings() *clientSettings {
	name, named := r.annotations[AnnotationClientCA]
	mode, set := r.annotations[AnnotationClientCertificate]
	if !named && !set {
		r.checkClientHeader(false)
		return r.nginxClientSettings()
	}
	c := &clientSettings{
		annotation: AnnotationClientCA, secret: name, hasCA: named, required: mode != "Optional", forward: r.checkClientHeader(true),
	}
	if set && mode != "Optional" && mode != "Required" {
		r.invalid(AnnotationClientCertificate,
			"annotation %s has the value %s; it must be one of Optional, Required. Until then a certificate is required",
			AnnotationClientCertificate, quote(mode))
	}
	if !named {
		r.invalid(AnnotationClientCertificate,
			"annotation %s needs annotation %s: no client certificate is accepted until it is set",
			AnnotationClientCertificate, AnnotationClientCA)
	}
	return c
}

// checkClientHeader reads AnnotationClientCertificateHeader. isRequested reports whether the object requests certificates.
func (r *annotationReader) checkClientHeader(isRequested bool) bool {
	value, set := r.annotations[AnnotationClientCertificateHeader]
	switch {
	case !set:
	case !isRequested:
		r.invalid(AnnotationClientCertificateHeader,
			"annotation %s has no effect without %s", AnnotationClientCertificateHeader, AnnotationClientCA)
	case value != "true" && value != "false":
		r.invalid(AnnotationClientCertificateHeader,
			"annotation %s has the value %s; it must be true or false. The annotation is ignored",
			AnnotationClientCertificateHeader, quote(value))
	}
	return value == "true"
}

// clientCertificates returns the settings of an object for client certificates, or nil. An invalid CA accepts no client.
func (b *builder) clientCertificates(d *description) *model.ClientCertificates {
	want := d.security.clients
	if want == nil {
		return nil
	}
	c := &model.ClientCertificates{
		Required: want.required, Forward: want.forward, InResponse: want.isNginx, IgnoresIssuer: want.ignoresIssuer,
		MaxIntermediates: want.maxIntermediates, Subject: want.subject, ErrorPage: want.errorPage,
	}
	if want.hasCA {
		c.CA, _, c.CAs = b.authority(d, want.annotation, want.secret, "no client certificate is accepted")
	}
	if want.isNginx {
		b.refuseRevocation(d, want, c)
	}
	c.Fingerprint = clientFingerprint(c)
	return c
}

// refuseRevocation drops the CAs of a Secret that lists revoked certificates. ingress-nginx refuses these, and Limpet does not
// read the list.
func (b *builder) refuseRevocation(d *description, want *clientSettings, c *model.ClientCertificates) {
	ref, key := b.refer(model.KindSecret, d.namespace(), want.secret)
	if secret := b.lookups.secret(key); secret != nil && len(secret.Data[KeyCRL]) > 0 {
		c.CAs = nil
		b.reports.add(d.ref, ReasonProtectionNotEnforced, annotationField(want.annotation),
			"%s has the key %s, but this version does not check for revoked certificates: the hosts of the %s respond 503",
			ref, KeyCRL, d.ref.Kind)
	}
}

// authority reads the CA Secret that an annotation names. It returns no certificates if the Secret is missing or invalid.
// instead describes for the message how the object is handled then.
func (b *builder) authority(
	d *description, annotation, name, instead string,
) (ref model.Ref, text []byte, cas []*x509.Certificate) {
	ref, key := b.refer(model.KindSecret, d.namespace(), name)
	secret := b.lookups.secret(key)
	if secret == nil {
		b.reports.add(d.ref, ReasonSecretNotFound, annotationField(annotation), "%s does not exist: %s until it does", ref, instead)
		return ref, nil, nil
	}
	cas, err := parseCAs(secret)
	if err != nil {
		b.reports.add(d.ref, ReasonInvalidSecret, annotationField(annotation),
			"%s: its %s %s. Until it is fixed, %s", ref, KeyCA, err, instead)
		return ref, nil, nil
	}
	return ref, secret.Data[KeyCA], cas
}

// parseCAs parses a bundle of CA certificates. It fails if any of them is invalid, because clients of a skipped CA would be
// rejected without a reported problem. Its errors never contain data of the Secret.
func parseCAs(secret *corev1.Secret) ([]*x509.Certificate, error) {
	var cas []*x509.Certificate
	for block, rest := pem.Decode(secret.Data[KeyCA]); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("holds something other than certificates")
		}
		ca, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("cannot be used: %w", err)
		}
		cas = append(cas, ca)
	}
	if len(cas) == 0 {
		return nil, errors.New("is missing or holds no certificate")
	}
	return cas, nil
}

func clientFingerprint(c *model.ClientCertificates) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "required %t\n", c.Required)
	if c.InResponse {
		fmt.Fprintf(sum, "in response, ignores issuer %t, intermediates %d\n", c.IgnoresIssuer, c.MaxIntermediates)
	}
	for _, ca := range c.CAs {
		sum.Write(ca.Raw)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
