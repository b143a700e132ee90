package translate

import (
	"cmp"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationMinVersion is the lowest version of TLS that the hosts of an object are served over.
const AnnotationMinVersion = annotationPrefix + "tls-min-version"

// hosts collects what objects say about the hosts that are routed.
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

// securitySettings is what an object says about reaching its routes.
type securitySettings struct {
	version      model.TLSVersion
	clients      *clientSettings // nil: clients are asked for nothing
	transport    string          // what holds for all hosts if it says nothing
	hasTransport bool
}

// security is securitySettings with the certificates that clients are verified by.
type security struct {
	version      model.TLSVersion
	clients      *model.ClientCertificates
	transport    string // what holds for all hosts if it says nothing
	hasTransport bool
}

// decideHosts goes through the objects, oldest first. A host has one handshake for all of its paths, so that of two
// objects that want different ones the oldest wins that says anything; but only those of the namespace that owns the host
// are heard. The routes of an object whose demands on clients do not count keep them, so that they are served to nobody.
func (b *builder) decideHosts() {
	for name := range b.owners {
		b.hosts[name] = &host{Host: model.Host{Name: name}, transport: b.options.HSTS}
	}
	for _, d := range b.descriptions {
		want := b.readSecurity(d)
		b.secured[d.ref] = want
		b.eachHost(d, func(h *host) {
			if b.owners.owns(d.namespace(), h.Name) {
				h.decide(d.ref, &want)
			}
		})
	}
	for _, d := range b.descriptions {
		want := b.secured[d.ref]
		b.eachHost(d, func(h *host) { b.compareHost(d, h, &want) })
	}
}

// readSecurity completes the settings of an object with the certificates of the Secrets that it names.
func (b *builder) readSecurity(d *description) security {
	b.reportStage(d, readClients)
	out := security{
		version: d.security.version, clients: b.clientCertificates(d),
		transport: d.security.transport, hasTransport: d.security.hasTransport,
	}
	b.reportStage(d, readHSTS)
	return out
}

// eachHost visits the routed hosts that an object names, as a canary does too.
func (b *builder) eachHost(d *description, visit func(*host)) {
	for _, name := range d.allHosts() {
		if h := b.hosts[name]; h != nil {
			visit(h)
		}
	}
}

// decide takes over what an object of the owner says and no older one has said.
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

// compareHost reports what an object asks for and does not get.
func (b *builder) compareHost(d *description, h *host, want *security) {
	if want.version != 0 && h.MinVersion != want.version {
		b.reportHost(d, h, AnnotationMinVersion, h.versionBy, "")
	}
	if want.clients != nil && !sameClients(h.Clients, want.clients) {
		b.reportHost(d, h, AnnotationClientCA, h.clientsBy, unservedPaths(h.Clients, want.clients, d.ref.Kind))
	}
	if want.hasTransport && h.transport != want.transport && !b.owners.owns(d.namespace(), h.Name) {
		b.reportHost(d, h, AnnotationHSTS, h.transportBy, "")
	}
}

func sameClients(x, y *model.ClientCertificates) bool {
	return x != nil && x.Fingerprint == y.Fingerprint && x.Forward == y.Forward
}

// unservedPaths says what becomes of the paths of an object that wants other clients than are verified.
func unservedPaths(have, want *model.ClientCertificates, kind string) string {
	if have != nil && have.Fingerprint == want.Fingerprint {
		return ""
	}
	return ". The paths of this " + kind + " answer 403 there"
}

// secureRoutes gives each route what its object says. Where that asks clients for nothing, what the host asks for counts.
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

// reportHost says that another object decides.
func (b *builder) reportHost(d *description, h *host, annotation string, by model.Ref, outcome string) {
	if who := b.owners[h.Name]; who.namespace != d.namespace() {
		b.refuse(d, who, h.Name, annotationField(annotation), "annotation "+annotation, outcome)
		return
	}
	b.reports.add(d.ref, ReasonHostConflict, annotationField(annotation),
		"annotation %s does not count for host %s: %s, which is older, has another value%s",
		annotation, quote(h.Name), by, outcome)
}

// minVersion reads the annotation, 0 if there is none that can be applied.
func (r *annotationReader) minVersion() model.TLSVersion {
	value, set := r.annotations[AnnotationMinVersion]
	if !set {
		return 0
	}
	var version model.TLSVersion
	if err := version.UnmarshalText([]byte(value)); err != nil {
		r.invalid(AnnotationMinVersion,
			"annotation %s has the value %s; %s. It is not applied", AnnotationMinVersion, quote(value), err)
		return 0
	}
	if version < r.options.TLSMinVersion {
		r.invalid(AnnotationMinVersion,
			"annotation %s has the value %s, which is below --tls-min-version: that counts", AnnotationMinVersion, value)
		return 0
	}
	return version
}
