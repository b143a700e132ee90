package translate

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The annotations of an Ingress that configure the transport to its pods.
const (
	// AnnotationBackendProtocol is HTTP, HTTPS, H2C, H2, GRPC or GRPCS.
	AnnotationBackendProtocol = annotationPrefix + "backend-protocol"
	// AnnotationBackendCA names a Secret in the namespace of the Ingress, whose ca.crt verifies pods.
	AnnotationBackendCA = annotationPrefix + "backend-ca"
	// AnnotationBackendServerName is the server name in TLS handshakes with pods.
	AnnotationBackendServerName = annotationPrefix + "backend-server-name"
	// AnnotationBackendProxyProtocol is v1 or v2.
	AnnotationBackendProxyProtocol = annotationPrefix + "backend-proxy-protocol"
	// annotationNginxProtocol is the annotation of ingress-nginx. AnnotationBackendProtocol takes precedence.
	annotationNginxProtocol = nginxPrefix + "backend-protocol"
)

var transportAnnotations = []string{
	AnnotationBackendProtocol, AnnotationBackendCA, AnnotationBackendServerName, AnnotationBackendProxyProtocol,
	AnnotationServiceUpstream,
}

// backendProtocols are the values of AnnotationBackendProtocol.
var backendProtocols = map[string]model.Transport{
	"HTTP":  {},
	"HTTPS": {TLS: true},
	"H2C":   {HTTP2: true},
	"H2":    {HTTP2: true, TLS: true},
	"GRPC":  {HTTP2: true},
	"GRPCS": {HTTP2: true, TLS: true},
}

// appProtocols are the values of appProtocol in ports of Services
// (https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol). Other values result in HTTP/1.1.
var appProtocols = map[string]model.Transport{
	"https":             {TLS: true},
	"kubernetes.io/wss": {TLS: true},
	"kubernetes.io/h2c": {HTTP2: true},
	"h2c":               {HTTP2: true},
	"grpc":              {HTTP2: true},
	"grpcs":             {HTTP2: true, TLS: true},
}

// transportSettings are the settings of an object for the transport to its pods.
type transportSettings struct {
	protocol *model.Transport // nil: appProtocol of the Service decides
	details  model.Transport  // server name and PROXY protocol
	ca       string           // name of the Secret with the CA of the pods
	hasCA    bool
	podTLS   podTLS
	// toService is the annotation that sends requests to the Service instead of its pods, or "".
	toService string
	// hasServerName is true if AnnotationBackendServerName is set.
	hasServerName bool
}

// podTransport is transportSettings with the CA certificates.
type podTransport struct {
	protocol *model.Transport // nil: appProtocol of the Service decides
	details  model.Transport  // all but HTTP2 and TLS
	isClosed bool             // pods must be verified, but the CA is missing or invalid
	// authorityKey is the annotation that names the CA.
	authorityKey string
}

// readTransport reads the annotations. Invalid annotations are not applied, except that an invalid CA closes the routes.
func (r *annotationReader) readTransport() transportSettings {
	t := transportSettings{protocol: r.readProtocol()}
	t.details.ServerName = r.readServerName()
	t.hasServerName = t.details.ServerName != ""
	t.details.ProxyProtocol = r.readProxyProtocol()
	t.ca, t.hasCA = r.annotations[AnnotationBackendCA]
	t.podTLS = r.proxySSL(&t.details)
	if v := r.setting(nameServiceUpstream, nameServiceUpstream); r.readBool(v, false) {
		t.toService = v.key
	}
	return t
}

func (r *annotationReader) readProtocol() *model.Transport {
	key := AnnotationBackendProtocol
	value, set := r.annotations[key]
	if !set {
		key = annotationNginxProtocol
		value, set = r.annotations[key]
	}
	if !set {
		return nil
	}
	t, known := backendProtocols[strings.ToUpper(value)]
	if !known {
		r.invalidValue(key, "it must be one of "+strings.Join(slices.Sorted(maps.Keys(backendProtocols)), ", "))
		return nil
	}
	return &t
}

func (r *annotationReader) readServerName() string {
	name, set := r.annotations[AnnotationBackendServerName]
	if set && len(validation.IsDNS1123Subdomain(name)) > 0 {
		r.invalidValue(AnnotationBackendServerName, "it must be a DNS name in lower case")
		return ""
	}
	return name
}

func (r *annotationReader) readProxyProtocol() int {
	switch value, set := r.annotations[AnnotationBackendProxyProtocol]; {
	case value == "v1":
		return 1
	case value == "v2":
		return 2
	case set:
		r.invalidValue(AnnotationBackendProxyProtocol, "it must be one of v1, v2")
	}
	return 0
}

// podTransport adds the CA certificates to the transport settings of an object.
func (b *builder) podTransport(d *description) podTransport {
	t := podTransport{protocol: d.transport.protocol, details: d.transport.details}
	t.authorityKey = AnnotationBackendCA
	if d.transport.hasCA {
		ref, text, _ := b.authority(d, AnnotationBackendCA, d.transport.ca,
			"pods cannot be verified, and the routes of the "+d.ref.Kind+" respond 503")
		t.details.Authority, t.details.AuthorityPEM, t.isClosed = ref, string(text), text == nil
	}
	b.podSecret(d, &t)
	return t
}

// transport returns the transport to the pods of a backend. ok is false if no request may be sent to them.
func (b *builder) transport(by *translation, pool model.PoolID) (t model.Transport, ok bool) {
	settings := &by.pods
	if settings.protocol != nil {
		t = *settings.protocol
	} else {
		t = appProtocols[b.appProtocol(pool)]
	}
	if settings.isClosed {
		return t, false
	}
	t.ProxyProtocol = settings.details.ProxyProtocol
	if t.HTTP2 && t.ProxyProtocol != 0 {
		b.reports.add(by.ref, ReasonInvalidAnnotation, annotationField(AnnotationBackendProxyProtocol),
			"annotation %s has no effect on %s: clients share the HTTP/2 connections to its pods",
			AnnotationBackendProxyProtocol, pool)
		t.ProxyProtocol = 0
	}
	if t.TLS {
		t.ServerName = cmp.Or(settings.details.ServerName, pool.Service+"."+pool.Namespace+".svc")
		t.Authority, t.AuthorityPEM = settings.details.Authority, settings.details.AuthorityPEM
		t.MaxChain, t.MinVersion = settings.details.MaxChain, settings.details.MinVersion
		t.Certificate, t.CertificatePEM = settings.details.Certificate, settings.details.CertificatePEM
		t.KeyPEM = settings.details.KeyPEM
	} else if settings.details.AuthorityPEM != "" {
		b.reports.add(by.ref, ReasonInvalidAnnotation, annotationField(settings.authorityKey),
			"annotation %s needs TLS, but connections to %s are cleartext: the route responds 503. Set %s: HTTPS, or "+
				"remove the annotation",
			settings.authorityKey, pool, AnnotationBackendProtocol)
		return t, false
	}
	if !t.TLS && by.transport.hasServerName {
		b.reports.add(by.ref, ReasonInvalidAnnotation, annotationField(AnnotationBackendServerName),
			"annotation %s has no effect on %s: connections to its pods are cleartext", AnnotationBackendServerName, pool)
	}
	return t, true
}

// appProtocol returns the appProtocol of a port of a Service in lower case, or "".
func (b *builder) appProtocol(pool model.PoolID) string {
	service := b.lookups.service(types.NamespacedName{Namespace: pool.Namespace, Name: pool.Service})
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		if port.Port == pool.Port && port.AppProtocol != nil && cmp.Or(port.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
			return strings.ToLower(*port.AppProtocol)
		}
	}
	return ""
}
