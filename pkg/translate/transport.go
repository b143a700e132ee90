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

// The annotations of an Ingress about how its pods are spoken to.
const (
	// AnnotationBackendProtocol is HTTP, HTTPS, H2C, H2, GRPC or GRPCS.
	AnnotationBackendProtocol = annotationPrefix + "backend-protocol"
	// AnnotationBackendCA names a Secret in the namespace of the Ingress, whose ca.crt verifies pods.
	AnnotationBackendCA = annotationPrefix + "backend-ca"
	// AnnotationBackendServerName is the name in the TLS handshake with pods.
	AnnotationBackendServerName = annotationPrefix + "backend-server-name"
	// AnnotationBackendProxyProtocol is v1 or v2.
	AnnotationBackendProxyProtocol = annotationPrefix + "backend-proxy-protocol"
	// annotationNginxProtocol is that of ingress-nginx, and counts where there is none of Limpet's own.
	annotationNginxProtocol = nginxPrefix + "backend-protocol"
)

var transportAnnotations = []string{
	AnnotationBackendProtocol, AnnotationBackendCA, AnnotationBackendServerName, AnnotationBackendProxyProtocol,
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

// appProtocols are the names that the ports of Services use
// (https://kubernetes.io/docs/concepts/services-networking/service/#application-protocol). Others are left to HTTP/1.1.
var appProtocols = map[string]model.Transport{
	"https":             {TLS: true},
	"kubernetes.io/wss": {TLS: true},
	"kubernetes.io/h2c": {HTTP2: true},
	"h2c":               {HTTP2: true},
	"grpc":              {HTTP2: true},
	"grpcs":             {HTTP2: true, TLS: true},
}

// towardsPods is what an Ingress says about how its pods are spoken to.
type towardsPods struct {
	protocol *model.Transport // nil: the port of the Service says
	details  model.Transport  // all but HTTP2 and TLS
	isClosed bool             // the pods are to be verified, and cannot be
}

// readTransport reads the annotations. A wrong one is not applied, except that pods which cannot be verified get nothing.
func (b *builder) readTransport(s *source) towardsPods {
	t := towardsPods{protocol: b.readProtocol(s)}
	t.details.ServerName = b.readServerName(s)
	t.details.ProxyProtocol = b.readProxyProtocol(s)
	if name, set := s.Annotations[AnnotationBackendCA]; set {
		ref, text, _ := b.authority(s, AnnotationBackendCA, name, "pods cannot be verified, and the routes of the Ingress answer 503")
		t.details.Authority, t.details.AuthorityPEM, t.isClosed = ref, string(text), text == nil
	}
	return t
}

func (b *builder) readProtocol(s *source) *model.Transport {
	key := AnnotationBackendProtocol
	value, set := s.Annotations[key]
	if !set {
		key = annotationNginxProtocol
		value, set = s.Annotations[key]
	}
	if !set {
		return nil
	}
	t, known := backendProtocols[strings.ToUpper(value)]
	if !known {
		b.wrongAnnotation(s, key, "it must be one of "+strings.Join(slices.Sorted(maps.Keys(backendProtocols)), ", "))
		return nil
	}
	return &t
}

func (b *builder) readServerName(s *source) string {
	name, set := s.Annotations[AnnotationBackendServerName]
	if set && len(validation.IsDNS1123Subdomain(name)) > 0 {
		b.wrongAnnotation(s, AnnotationBackendServerName, "it must be a DNS name in lower case")
		return ""
	}
	return name
}

func (b *builder) readProxyProtocol(s *source) int {
	switch value, set := s.Annotations[AnnotationBackendProxyProtocol]; {
	case value == "v1":
		return 1
	case value == "v2":
		return 2
	case set:
		b.wrongAnnotation(s, AnnotationBackendProxyProtocol, "it must be one of v1, v2")
	}
	return 0
}

// transport is how the pods of a backend are spoken to. ok is unset where they may not be.
func (b *builder) transport(s *source, pool model.PoolID) (t model.Transport, ok bool) {
	says := &s.towardsPods
	if says.protocol != nil {
		t = *says.protocol
	} else {
		t = appProtocols[b.appProtocol(pool)]
	}
	if says.isClosed {
		return t, false
	}
	t.ProxyProtocol = says.details.ProxyProtocol
	if t.HTTP2 && t.ProxyProtocol != 0 {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(AnnotationBackendProxyProtocol),
			"annotation %s has no effect on %s: clients share connections to pods that speak HTTP/2",
			AnnotationBackendProxyProtocol, pool)
		t.ProxyProtocol = 0
	}
	if t.TLS {
		t.ServerName = cmp.Or(says.details.ServerName, pool.Service+"."+pool.Namespace+".svc")
		t.Authority, t.AuthorityPEM = says.details.Authority, says.details.AuthorityPEM
	} else if says.details.AuthorityPEM != "" {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(AnnotationBackendCA),
			"annotation %s needs pods that speak TLS, and %s is spoken to in clear: it answers 503", AnnotationBackendCA, pool)
		return t, false
	}
	return t, true
}

// appProtocol is what the port of the Service says, "" for nothing.
func (b *builder) appProtocol(pool model.PoolID) string {
	service := b.services[types.NamespacedName{Namespace: pool.Namespace, Name: pool.Service}]
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		if port.Port == pool.Port && port.AppProtocol != nil && cmp.Or(port.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP {
			return strings.ToLower(*port.AppProtocol)
		}
	}
	return ""
}
