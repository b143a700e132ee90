package translate

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationTLSPassthrough sends the TLS connections for the hosts of an object to pods without decrypting them.
const AnnotationTLSPassthrough = annotationPrefix + "tls-passthrough"

// passthroughKey returns the annotation that requests passthrough, "" without one.
func (r *annotationReader) passthroughKey() string {
	switch text, isSet := r.annotations[AnnotationTLSPassthrough]; {
	case text == "true":
		return AnnotationTLSPassthrough
	case isSet && text != "false":
		r.invalidValue(AnnotationTLSPassthrough, "it must be true or false")
		return ""
	case isSet || !r.nginxBool("ssl-passthrough"):
		return ""
	}
	key := nginxPrefix + "ssl-passthrough"
	if !r.options.NginxPassthrough {
		r.report(ReasonNoEffect, key,
			"annotation %s has no effect without the flag --enable-ssl-passthrough, as in ingress-nginx: Limpet terminates TLS", key)
		return ""
	}
	return key
}

// decidePassthrough sets the backend of each host whose TLS connections are passed through: that of path /. Nothing can be
// enforced on them, so a host that an object of the owner protects terminates TLS instead. Objects of other namespaces do not
// matter: the connections never reach their backends.
func (b *builder) decidePassthrough() {
	protectedBy := map[string]model.Ref{}
	for _, d := range b.descriptions {
		by, is := b.protectorOf(d)
		if !is {
			continue
		}
		for _, name := range d.allHosts() {
			if _, known := protectedBy[name]; !known && b.owners.owns(d.namespace(), name) {
				protectedBy[name] = by
			}
		}
	}
	for _, d := range b.descriptions {
		if d.security.passthrough == "" {
			continue
		}
		for _, name := range d.allHosts() {
			if h := b.hosts[name]; h != nil && h.passthroughBy == d.ref {
				b.passThrough(d, h, protectedBy[name])
			}
		}
	}
}

// protectorOf returns what restricts access to an object: its annotations, or the ConfigMap of ingress-nginx. It returns false if
// nothing does.
func (b *builder) protectorOf(d *description) (by model.Ref, is bool) {
	switch {
	case d.isProtected, d.closed != "":
		return d.ref, true
	case d.access.addresses != nil, d.auth != nil: // by no annotation of its own
		return b.options.nginxConfigRef(), true
	}
	return model.Ref{}, false
}

// passThrough sets the backend of a host, unless it must not be passed through.
func (b *builder) passThrough(d *description, h *host, protectedBy model.Ref) {
	why := ""
	root := b.rootRoute(d, h.Name)
	switch {
	case h.Name == "":
		why = "it needs a host, because clients name it in the TLS handshake"
	case protectedBy != model.Ref{}:
		why = protectedBy.String() + " restricts access to the host, which is impossible without decrypting"
	case h.Clients != nil:
		why = h.clientsBy.String() + " requires client certificates"
	case root == nil:
		why = "the " + d.ref.Kind + " needs a backend for path /, which receives the connections"
	}
	if why != "" {
		b.reports.add(d.ref, ReasonNoEffect, annotationField(d.security.passthrough),
			"annotation %s is ignored for host %s: %s. Limpet terminates TLS for it", d.security.passthrough, quote(h.Name), why)
		return
	}
	first := &root.Backends[0]
	h.Passthrough = &model.Backend{
		Pool: first.Pool, Weight: 1, Balance: first.Balance, Affinity: byAddress(first.Affinity),
		RequestLimits: first.RequestLimits,
		Transport:     model.Transport{ProxyProtocol: first.Transport.ProxyProtocol},
	}
}

// rootRoute returns the route of an object for path / of a host, or nil.
func (b *builder) rootRoute(d *description, host string) *model.Route {
	for i := range b.routes.list {
		route := &b.routes.list[i]
		if route.Host == host && route.Path == "/" && route.Source == d.ref && route.Conditions == nil && len(route.Backends) > 0 {
			return route
		}
	}
	return nil
}

// byAddress returns the settings with which the client address identifies sessions, because nothing else of a client is known.
// Settings without a method for it get the default one. It returns nil without stickiness.
func byAddress(a *model.Affinity) *model.Affinity {
	if a == nil {
		return nil
	}
	method := model.Method{
		Source: model.SourceSourceIP, Binding: model.BindingHashed,
		SourceIP: &model.SourceIP{IPv4PrefixLength: 32, IPv6PrefixLength: 64},
	}
	if at := slices.IndexFunc(a.Methods, func(m model.Method) bool { return m.Source == model.SourceSourceIP }); at >= 0 {
		method = a.Methods[at]
	}
	return &model.Affinity{
		Source: a.Source, Scope: a.Scope, Methods: []model.Method{method}, Pick: a.Pick, KeepDraining: a.KeepDraining,
		DrainTimeout: a.DrainTimeout, Unavailable: a.Unavailable, Identity: a.Identity, BalanceFactor: a.BalanceFactor,
	}
}
