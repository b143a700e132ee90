package translate

import (
	"cmp"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationMinVersion is the minimum version of TLS for the hosts of an object.
const AnnotationMinVersion = annotationPrefix + "tls-min-version"

// hosts collects the settings of routed hosts.
type hosts map[string]*host

type host struct {
	model.Host
	hsts          string    // Strict-Transport-Security of routes of other namespaces
	versionBy     model.Ref // the object that sets MinVersion
	clientsBy     model.Ref // the object that sets Clients
	hstsBy        model.Ref // the object that sets hsts
	passthroughBy model.Ref // the oldest object that requests passthrough
}

func (h hosts) sorted() []model.Host {
	var out []model.Host
	for _, host := range h {
		if host.hasSettings() {
			out = append(out, host.Host)
		}
	}
	slices.SortFunc(out, func(x, y model.Host) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// hasSettings reports whether any setting differs from the default.
func (h *host) hasSettings() bool {
	return h.MinVersion != 0 || h.Clients != nil || h.Passthrough != nil
}

// securitySettings are the settings of an object for connections of clients.
type securitySettings struct {
	version model.TLSVersion
	clients *clientSettings // nil: no client certificates are requested
	hsts    string          // Options.HSTS if the object does not set it
	hasHSTS bool
	// passthrough is the annotation that requests TLS passthrough, "" without one.
	passthrough string
}

// security is securitySettings with the CA certificates for clients.
type security struct {
	version model.TLSVersion
	clients *model.ClientCertificates
	hsts    string // Options.HSTS if the object does not set it
	hasHSTS bool

	passthrough string // the annotation that requests TLS passthrough, or ""
}

// decideHosts sets the settings of each host. All paths of a host share one TLS handshake, so the oldest object with a
// setting wins. Only objects of the namespace that owns the host are considered. If the client certificates of an object are
// not applied to the host, its routes still require them, and so reject all clients.
func (b *builder) decideHosts() {
	for name := range b.owners {
		b.hosts[name] = &host{Host: model.Host{Name: name}, hsts: b.options.HSTS}
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
	b.inheritSettings()
	for _, d := range b.descriptions {
		want := b.secured[d.ref]
		b.eachHost(d, func(h *host) { b.compareHost(d, h, &want) })
	}
}

// inheritSettings copies the settings of the wildcard host, or of any host, to each exact host of the same owner that has
// routes for ACME challenges only. An issuer adds and removes such routes: that must not change how the host is protected.
func (b *builder) inheritSettings() {
	served := map[string]bool{}
	for _, d := range b.descriptions {
		for _, host := range d.routedHosts(false) {
			served[host] = true
		}
	}
	for name, h := range b.hosts {
		wildcard, isExact := wildcardOver(name)
		if served[name] || !isExact {
			continue
		}
		above := b.hosts[wildcard]
		if !served[wildcard] {
			above = b.hosts[""]
		}
		if above == nil || b.owners[above.Name].namespace != b.owners[name].namespace {
			continue
		}
		h.decide(above.clientsBy, &security{
			version: above.MinVersion, clients: above.Clients, hsts: above.hsts, hasHSTS: above.hstsBy != (model.Ref{}),
		})
	}
}

// readSecurity adds the CA certificates to the security settings of an object.
func (b *builder) readSecurity(d *description) security {
	b.reportStage(d, readClients)
	out := security{
		version: d.security.version, clients: b.clientCertificates(d),
		hsts: d.security.hsts, hasHSTS: d.security.hasHSTS, passthrough: d.security.passthrough,
	}
	b.reportStage(d, readHSTS)
	return out
}

// eachHost calls visit for each routed host that an object names, including a canary.
func (b *builder) eachHost(d *description, visit func(*host)) {
	for _, name := range d.allHosts() {
		if h := b.hosts[name]; h != nil {
			visit(h)
		}
	}
}

// decide applies the settings of an object of the owner that no older object has set.
func (h *host) decide(by model.Ref, want *security) {
	if want.version != 0 && h.MinVersion == 0 {
		h.MinVersion, h.versionBy = want.version, by
	}
	if want.clients != nil && h.Clients == nil {
		h.Clients, h.clientsBy = want.clients, by
	}
	if want.hasHSTS && h.hstsBy == (model.Ref{}) {
		h.hsts, h.hstsBy = want.hsts, by
	}
	if want.passthrough != "" && h.passthroughBy == (model.Ref{}) {
		h.passthroughBy = by
	}
}

// compareHost reports the settings of an object that are not applied to a host.
func (b *builder) compareHost(d *description, h *host, want *security) {
	if want.version != 0 && h.MinVersion != want.version {
		b.reportHost(d, h, AnnotationMinVersion, h.versionBy, "")
	}
	if want.clients != nil && !sameClients(h.Clients, want.clients) {
		b.reportHost(d, h, d.security.clients.annotation, h.clientsBy, unservedPaths(h.Clients, want.clients, d.ref.Kind))
	}
	if want.passthrough != "" && h.passthroughBy != d.ref {
		b.reportHost(d, h, want.passthrough, h.passthroughBy, "")
	}
	if want.hasHSTS && h.hsts != want.hsts && !b.owners.owns(d.namespace(), h.Name) {
		b.reportHost(d, h, AnnotationHSTS, h.hstsBy, "")
	}
}

func sameClients(x, y *model.ClientCertificates) bool {
	return x != nil && x.Fingerprint == y.Fingerprint && x.Forward == y.Forward
}

// unservedPaths describes for a message how an object is handled that requires other client certificates than the host.
func unservedPaths(have, want *model.ClientCertificates, kind string) string {
	if have != nil && have.Fingerprint == want.Fingerprint {
		return ""
	}
	return ". The paths of this " + kind + " respond 403 there"
}

// secureRoutes sets the security of each route from its object. If the object requires no client certificates, those of the
// host apply. Browsers apply Strict-Transport-Security to whole hosts, so only objects of the owner may set it.
func (b *builder) secureRoutes() {
	for i := range b.routes.list {
		route := &b.routes.list[i]
		own, h := b.secured[route.Source], b.hosts[route.Host]
		route.Clients, route.TransportSecurity = own.clients, own.hsts
		if route.Clients == nil {
			route.Clients = h.Clients
		}
		if !b.owners.owns(route.Source.Namespace, route.Host) {
			route.TransportSecurity = h.hsts
		}
	}
}

// reportHost reports that another object decides a setting of a host.
func (b *builder) reportHost(d *description, h *host, annotation string, by model.Ref, outcome string) {
	if hostOwner := b.owners[h.Name]; hostOwner.namespace != d.namespace() {
		b.refuse(d, hostOwner, h.Name, annotationField(annotation), "annotation "+annotation, outcome)
		return
	}
	b.reports.add(d.ref, ReasonHostConflict, annotationField(annotation),
		"annotation %s is ignored for host %s: %s, which is older, sets another value%s",
		annotation, quote(h.Name), by, outcome)
}

// minVersion returns the version in the annotation, 0 if the annotation is missing or invalid.
func (r *annotationReader) minVersion() model.TLSVersion {
	value, set := r.annotations[AnnotationMinVersion]
	if !set {
		return 0
	}
	var version model.TLSVersion
	if err := version.UnmarshalText([]byte(value)); err != nil {
		r.invalid(AnnotationMinVersion,
			"annotation %s has the value %s; %s. The annotation is ignored", AnnotationMinVersion, quote(value), err)
		return 0
	}
	if version < r.options.TLSMinVersion {
		r.invalid(AnnotationMinVersion,
			"annotation %s is ignored, because its value %s is lower than --tls-min-version", AnnotationMinVersion, value)
		return 0
	}
	return version
}
