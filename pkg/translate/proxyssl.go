package translate

import (
	"crypto/tls"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/pkg/model"
)

// podTLS is how an object wants its pods to be verified, and to verify Limpet, by the annotations of ingress-nginx.
type podTLS struct {
	secret value // proxy-ssl-secret; its text is the name without the namespace
	verify bool
	// maxChain is the maximum number of certificates in a chain, with the certificate of the pod and the CA.
	maxChain int
}

// proxySSL reads the annotations proxy-ssl-*. Verification that is malformed or impossible closes the routes.
func (r *annotationReader) proxySSL(details *model.Transport) podTLS {
	t := podTLS{secret: r.podSecret(), verify: r.verifiesPods(), maxChain: r.maxChain()}
	if name := r.annotation(nginxPrefix, "proxy-ssl-name"); name.text != "" && details.ServerName == "" {
		if len(validation.IsDNS1123Subdomain(name.text)) > 0 {
			r.invalidValue(name.key, "it must be a DNS name in lower case")
		} else {
			details.ServerName = name.text
		}
	}
	r.oneOf("proxy-ssl-server-name", "on", "off")
	details.MinVersion = r.podVersion()
	return t
}

// verifiesPods reports whether the certificates of pods must be verified.
func (r *annotationReader) verifiesPods() bool {
	v := r.annotation(nginxPrefix, "proxy-ssl-verify")
	switch v.text {
	case "", "off":
		return false
	case "on":
	default:
		r.failProtection(v, false, "has the value "+quote(v.text)+", but it must be on or off")
		return false
	}
	_, hasOwn := r.annotations[AnnotationBackendCA]
	if secret := r.annotation(nginxPrefix, "proxy-ssl-secret"); secret.text == "" && !hasOwn {
		r.failProtection(v, false, "requires a Secret with ca.crt, which annotation "+secret.key+" must name")
		return false
	}
	return true
}

// podSecret returns the Secret of proxy-ssl-secret. It must be in the namespace of the Ingress, as by default in ingress-nginx.
func (r *annotationReader) podSecret() value {
	v := r.annotation(nginxPrefix, "proxy-ssl-secret")
	if v.text == "" {
		return v
	}
	namespace, name, isQualified := strings.Cut(v.text, "/")
	if !isQualified {
		namespace, name = r.namespace(), namespace
	}
	if namespace != r.namespace() || name == "" || strings.Contains(name, "/") {
		r.failProtection(v, false, "must name a Secret in namespace "+r.namespace()+", as "+r.namespace()+"/NAME")
		return value{key: v.key}
	}
	v.text = name
	return v
}

// maxChain returns the maximum length of a chain by proxy-ssl-verify-depth, which counts the CAs between the certificate of the
// pod and the trusted CA.
func (r *annotationReader) maxChain() int {
	const byDefault, most = 1, 100
	v := r.annotation(nginxPrefix, "proxy-ssl-verify-depth")
	depth, err := strconv.Atoi(v.text)
	if err != nil || depth < 0 || depth > most {
		if v.text != "" {
			r.invalidValue(v.key, "it must be a whole number from 0 to 100")
		}
		depth = byDefault
	}
	return depth + 2
}

// podVersion returns the lowest version of TLS that proxy-ssl-protocols allows.
func (r *annotationReader) podVersion() uint16 {
	v := r.annotation(nginxPrefix, "proxy-ssl-protocols")
	version := uint16(0)
	for name := range strings.FieldsSeq(v.text) {
		switch name {
		case "SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2":
			version = tls.VersionTLS12
		case "TLSv1.3":
			if version == 0 {
				version = tls.VersionTLS13
			}
		default:
			r.invalidValue(v.key, "it must list versions such as TLSv1.2 TLSv1.3")
			return 0
		}
	}
	return version
}

// podSecret adds the certificates of proxy-ssl-secret to a transport. AnnotationBackendCA takes precedence for verification.
func (b *builder) podSecret(d *description, t *podTransport) {
	wants := &d.transport.podTLS
	if wants.secret.text == "" {
		return
	}
	ref, key := b.refer(model.KindSecret, d.namespace(), wants.secret.text)
	if wants.verify && !d.transport.hasCA && b.lookups.secret(key) != nil {
		_, text, _ := b.authority(d, wants.secret.key, wants.secret.text,
			"pods cannot be verified, and the routes of the "+d.ref.Kind+" respond 503")
		t.details.Authority, t.details.AuthorityPEM, t.isClosed = ref, string(text), text == nil
		t.authorityKey = wants.secret.key
	}
	if wants.verify {
		t.details.MaxChain = wants.maxChain
	}
	secret := b.lookups.secret(key)
	if secret == nil { // ingress-nginx closes the routes then
		b.reports.add(d.ref, ReasonSecretNotFound, annotationField(wants.secret.key),
			"%s does not exist: the routes of the %s respond 503 until it does", ref, d.ref.Kind)
		t.isClosed = true
		return
	}
	if len(secret.Data[corev1.TLSCertKey]) == 0 && len(secret.Data[KeyCA]) > 0 {
		return // it is for verification only
	}
	if _, err := parsePair(secret); err != nil {
		b.reports.add(d.ref, ReasonInvalidSecret, annotationField(wants.secret.key),
			"%s: %s. Pods get no client certificate until it is fixed", ref, err)
		return
	}
	t.details.Certificate = ref
	t.details.CertificatePEM = string(secret.Data[corev1.TLSCertKey])
	t.details.KeyPEM = model.PrivateKey(secret.Data[corev1.TLSPrivateKeyKey])
}
