package translate

import (
	"cmp"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationMinVersion is the lowest version of TLS that the hosts of an Ingress are served over.
const AnnotationMinVersion = annotationPrefix + "tls-min-version"

// hosts collects what Ingresses say about the hosts that are routed.
type hosts map[string]*host

type host struct {
	model.Host
	transport   string    // Strict-Transport-Security of the routes whose Ingress may not say it
	versionBy   model.Ref // who has set MinVersion
	clientsBy   model.Ref // who has set Clients
	transportBy model.Ref // who has set transport
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

// security is what an Ingress says about reaching its routes.
type security struct {
	version      model.TLSVersion
	clients      *model.ClientCertificates
	transport    string // what holds for all hosts if it says nothing
	hasTransport bool
}

// decideHosts goes through the Ingresses, oldest first. A host has one handshake for all of its paths, so that of two
// Ingresses that want different ones the oldest wins that says anything; but only those of the namespace that owns the host
// are heard. The routes of an Ingress whose demands on clients do not count keep them, so that they are served to nobody.
func (b *builder) decideHosts() {
	for name := range b.owners {
		b.hosts[name] = &host{Host: model.Host{Name: name}, transport: b.options.HSTS}
	}
	for _, ingress := range b.ingresses {
		s := &source{Ingress: ingress, ref: refOf("Ingress", ingress)}
		want := security{version: b.minVersion(s), clients: b.clientCertificates(s)}
		want.transport, want.hasTransport = b.transportSecurity(s)
		b.secured[s.ref] = want
		b.eachHost(s, func(h *host) {
			if b.owners.owns(s.Namespace, h.Name) {
				h.decide(s.ref, &want)
			}
		})
	}
	for _, ingress := range b.ingresses {
		s := &source{Ingress: ingress, ref: refOf("Ingress", ingress)}
		want := b.secured[s.ref]
		b.eachHost(s, func(h *host) { b.compareHost(s, h, &want) })
	}
}

// eachHost visits the routed hosts that an Ingress names, as a canary does too.
func (b *builder) eachHost(s *source, visit func(*host)) {
	names := ruleHosts(s)
	if s.Spec.DefaultBackend != nil && !slices.Contains(names, "") {
		names = append(names, "")
	}
	for _, name := range names {
		if h := b.hosts[name]; h != nil {
			visit(h)
		}
	}
}

// decide takes over what an Ingress of the owner says and no older one has said.
func (h *host) decide(by model.Ref, want *security) {
	if want.version != 0 && h.MinVersion == 0 {
		h.MinVersion, h.versionBy = want.version, by
	}
	if want.clients != nil && h.Clients == nil {
		h.Clients, h.clientsBy = want.clients, by
	}
	if want.hasTransport && h.transportBy == (model.Ref{}) {
		h.transport, h.transportBy = want.transport, by
	}
}

// compareHost reports what an Ingress asks for and does not get.
func (b *builder) compareHost(s *source, h *host, want *security) {
	if want.version != 0 && h.MinVersion != want.version {
		b.reportHost(s, h, AnnotationMinVersion, h.versionBy, "")
	}
	if want.clients != nil && !sameClients(h.Clients, want.clients) {
		b.reportHost(s, h, AnnotationClientCA, h.clientsBy, unservedPaths(h.Clients, want.clients))
	}
	if want.hasTransport && h.transport != want.transport && !b.owners.owns(s.Namespace, h.Name) {
		b.reportHost(s, h, AnnotationHSTS, h.transportBy, "")
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

// secureRoutes gives each route what its Ingress says. Where that asks clients for nothing, what the host asks for counts.
// Strict-Transport-Security binds a whole host in browsers, so that only its owner says it.
func (b *builder) secureRoutes() {
	for i := range b.routes.list {
		route := &b.routes.list[i]
		said, h := b.secured[route.Source], b.hosts[route.Host]
		route.Clients, route.TransportSecurity = said.clients, said.transport
		if route.Clients == nil {
			route.Clients = h.Clients
		}
		if !b.owners.owns(route.Source.Namespace, route.Host) {
			route.TransportSecurity = h.transport
		}
	}
}

// reportHost says that another Ingress decides.
func (b *builder) reportHost(s *source, h *host, annotation string, by model.Ref, outcome string) {
	if who := b.owners[h.Name]; who.namespace != s.Namespace {
		b.refuse(s, who, h.Name, annotationField(annotation), "annotation "+annotation, outcome)
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
