package translate

import (
	"cmp"
	"crypto/tls"
	"maps"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationMinVersion is the lowest version of TLS that the hosts of an Ingress are served over.
const AnnotationMinVersion = annotationPrefix + "tls-min-version"

// TLSVersions are the versions that can be asked for, as they are written in flags and annotations.
var TLSVersions = map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// hosts collects what Ingresses say about the TLS connections of their hosts.
type hosts map[string]*host

type host struct {
	model.Host
	namespace string    // of the oldest Ingress that routes the host: it alone decides
	versionBy model.Ref // who has set MinVersion
}

func (h hosts) sorted() []model.Host {
	var out []model.Host
	for _, host := range h {
		if host.MinVersion != 0 {
			out = append(out, host.Host)
		}
	}
	slices.SortFunc(out, func(x, y model.Host) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// decideHosts goes through the Ingresses, oldest first. A host has one handshake for all of its paths, so that of two
// Ingresses that want different ones the oldest wins that says anything; but nobody decides about a host of another
// namespace.
func (b *builder) decideHosts() {
	for _, ingress := range b.ingresses {
		s := &source{Ingress: ingress, ref: refOf("Ingress", ingress)}
		want := model.Host{MinVersion: b.minVersion(s)}
		for _, name := range routedHosts(s) {
			h := b.hosts[name]
			if h == nil {
				h = &host{Host: model.Host{Name: name}, namespace: s.Namespace}
				b.hosts[name] = h
			}
			b.decideHost(s, h, &want)
		}
	}
}

// routedHosts are the hosts that an Ingress has routes for.
func routedHosts(s *source) []string {
	names := ruleHosts(s)
	if s.Spec.DefaultBackend != nil && !slices.Contains(names, "") {
		names = append(names, "")
	}
	return names
}

func (b *builder) decideHost(s *source, h *host, want *model.Host) {
	if want.MinVersion == 0 {
		return
	}
	if h.MinVersion == 0 && h.namespace == s.Namespace {
		h.MinVersion, h.versionBy = want.MinVersion, s.ref
	}
	if h.MinVersion != want.MinVersion {
		b.reportHost(s, h, AnnotationMinVersion, h.versionBy)
	}
}

// reportHost says that somebody else decides.
func (b *builder) reportHost(s *source, h *host, annotation string, by model.Ref) {
	if h.namespace != s.Namespace {
		b.reports.add(s.ref, ReasonHostConflict, annotationField(annotation),
			"annotation %s does not count for host %s: the oldest Ingress of that host is in namespace %s, where it is decided",
			annotation, quote(h.Name), h.namespace)
		return
	}
	b.reports.add(s.ref, ReasonHostConflict, annotationField(annotation),
		"annotation %s does not count for host %s: %s, which is older, has another value", annotation, quote(h.Name), by)
}

// minVersion reads the annotation, 0 if there is none that can be applied.
func (b *builder) minVersion(s *source) uint16 {
	value, set := s.Annotations[AnnotationMinVersion]
	if !set {
		return 0
	}
	version, known := TLSVersions[value]
	if !known {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(AnnotationMinVersion),
			"annotation %s has the value %s; it must be one of %s. It is not applied", AnnotationMinVersion, quote(value),
			strings.Join(slices.Sorted(maps.Keys(TLSVersions)), ", "))
		return 0
	}
	if version < b.options.TLSMinVersion {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(AnnotationMinVersion),
			"annotation %s has the value %s, which is below --tls-min-version: that counts", AnnotationMinVersion, value)
		return 0
	}
	return version
}
