package translate

import (
	"cmp"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationMinVersion is the lowest version of TLS that the hosts of an Ingress are served over.
const AnnotationMinVersion = annotationPrefix + "tls-min-version"

// hosts collects what Ingresses say about the TLS connections of their hosts.
type hosts map[string]*host

type host struct {
	model.Host
	namespace string    // of the oldest Ingress that routes the host: it alone decides
	versionBy model.Ref // who has set MinVersion
	clientsBy model.Ref // who has set Clients
}

func (h hosts) sorted() []model.Host {
	var out []model.Host
	for _, host := range h {
		if host.MinVersion != 0 || host.Clients != nil {
			out = append(out, host.Host)
		}
	}
	slices.SortFunc(out, func(x, y model.Host) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// decideHosts goes through the Ingresses, oldest first. A host has one handshake for all of its paths, so that of two
// Ingresses that want different ones the oldest wins that says anything; but nobody decides about a host of another
// namespace. The routes of an Ingress whose demands on clients do not count keep them, so that they are served to nobody.
func (b *builder) decideHosts() {
	for _, ingress := range b.ingresses {
		s := &source{Ingress: ingress, ref: refOf("Ingress", ingress)}
		want := model.Host{MinVersion: b.minVersion(s), Clients: b.clientCertificates(s)}
		b.secured[s.ref] = security{clients: want.Clients, transport: b.transportSecurity(s)}
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
	decides := h.namespace == s.Namespace
	if want.MinVersion != 0 {
		if h.MinVersion == 0 && decides {
			h.MinVersion, h.versionBy = want.MinVersion, s.ref
		}
		if h.MinVersion != want.MinVersion {
			b.reportHost(s, h, AnnotationMinVersion, h.versionBy, "")
		}
	}
	if want.Clients != nil {
		if h.Clients == nil && decides {
			h.Clients, h.clientsBy = want.Clients, s.ref
		}
		if !sameClients(h.Clients, want.Clients) {
			b.reportHost(s, h, AnnotationClientCA, h.clientsBy, unservedPaths(h.Clients, want.Clients))
		}
	}
}

func sameClients(x, y *model.ClientCertificates) bool {
	return x != nil && x.Fingerprint == y.Fingerprint && x.Forward == y.Forward
}

// unservedPaths says what becomes of the paths of an Ingress that wants other clients than are verified.
func unservedPaths(have, want *model.ClientCertificates) string {
	if have != nil && have.Fingerprint == want.Fingerprint {
		return ""
	}
	return ". The paths of this Ingress answer 403 there"
}

// security is what an Ingress says about reaching its routes.
type security struct {
	clients   *model.ClientCertificates
	transport string
}

// secureRoutes gives each route what its Ingress says. Where that asks clients for nothing, what the host asks for counts.
func (b *builder) secureRoutes() {
	for i := range b.routes.list {
		route := &b.routes.list[i]
		said := b.secured[route.Source]
		route.Clients, route.TransportSecurity = said.clients, said.transport
		if route.Clients == nil {
			route.Clients = b.hosts[route.Host].Clients
		}
	}
}

// reportHost says that somebody else decides.
func (b *builder) reportHost(s *source, h *host, annotation string, by model.Ref, outcome string) {
	if h.namespace != s.Namespace {
		b.reports.add(s.ref, ReasonHostConflict, annotationField(annotation),
			"annotation %s does not count for host %s: the oldest Ingress of that host is in namespace %s, where it is decided%s",
			annotation, quote(h.Name), h.namespace, outcome)
		return
	}
	b.reports.add(s.ref, ReasonHostConflict, annotationField(annotation),
		"annotation %s does not count for host %s: %s, which is older, has another value%s",
		annotation, quote(h.Name), by, outcome)
}

// minVersion reads the annotation, 0 if there is none that can be applied.
func (b *builder) minVersion(s *source) model.TLSVersion {
	value, set := s.Annotations[AnnotationMinVersion]
	if !set {
		return 0
	}
	var version model.TLSVersion
	if err := version.UnmarshalText([]byte(value)); err != nil {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(AnnotationMinVersion),
			"annotation %s has the value %s; %s. It is not applied", AnnotationMinVersion, quote(value), err)
		return 0
	}
	if version < b.options.TLSMinVersion {
		b.reports.add(s.ref, ReasonInvalidAnnotation, annotationField(AnnotationMinVersion),
			"annotation %s has the value %s, which is below --tls-min-version: that counts", AnnotationMinVersion, value)
		return 0
	}
	return version
}
