package translate

import (
	"maps"
	"slices"
)

// namespacedHost is a host and a namespace that names it.
type namespacedHost struct{ namespace, host string }

// serveBelowWildcards selects the certificate of each routed exact host that no TLS section names, if the certificate of
// its wildcard host belongs to another namespace. It selects the certificate that the namespace of the host lists for the
// wildcard host, otherwise the default certificate.
func (b *builder) serveBelowWildcards() {
	spare := map[namespacedHost][]*listing{}
	for _, l := range b.certs.spare {
		key := namespacedHost{l.by.namespace(), l.name}
		spare[key] = append(spare[key], l)
	}
	used := map[namespacedHost]bool{}
	for _, host := range b.belowWildcards(spare) {
		hostOwner := b.owners[host]
		wildcard, _ := wildcardOver(host)
		key := namespacedHost{hostOwner.namespace, wildcard}
		for _, l := range spare[key] {
			used[key] = true
			b.present(l, host)
		}
		if len(spare[key]) == 0 {
			server, _ := b.server(wildcard)
			b.serveDefault(host, hostOwner, server)
		}
	}
	for _, l := range b.certs.spare {
		if !used[namespacedHost{l.by.namespace(), l.name}] {
			b.refuseCertificate(l, b.serverOf(l))
		}
	}
}

// belowWildcards returns the hosts that serveBelowWildcards handles, sorted.
func (b *builder) belowWildcards(spare map[namespacedHost][]*listing) []string {
	hosts := map[string]bool{}
	for host, hostOwner := range b.owners {
		wildcard, below := wildcardOver(host)
		if !below {
			continue
		}
		if _, served := b.server(host); served {
			continue
		}
		server, served := b.server(wildcard)
		if served && server.namespace != hostOwner.namespace || len(spare[namespacedHost{hostOwner.namespace, wildcard}]) > 0 {
			hosts[host] = true
		}
	}
	return slices.Sorted(maps.Keys(hosts))
}

// serveDefault serves a host with the default certificate instead of the certificate of its wildcard host.
func (b *builder) serveDefault(host string, hostOwner, server owner) {
	b.certs.defaultFor = append(b.certs.defaultFor, host)
	if c := b.defaultCertificate(); c != nil && covers(c.Pair.Leaf, host) {
		return
	}
	b.notices.add(hostOwner.object, ReasonWildcardNotUsed,
		"host %s has no certificate of namespace %s, which owns it, and the certificate of its wildcard host belongs to %s: "+
			"clients get the default certificate", quote(host), hostOwner.namespace, server.object)
}
