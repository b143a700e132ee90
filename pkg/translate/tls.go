package translate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// certificates collects the Certificates of one Build. Certificates of older objects come first.
type certificates struct {
	read  map[model.Ref]keyPair
	taken map[serverKey]model.Ref
	// servers maps a server name to its owner or, if it has no owner, to the first object that lists it.
	servers map[string]owner
	// spare are the listings of wildcard hosts that another namespace serves.
	spare []*listing
	// defaultFor is Model.DefaultCertificateFor.
	defaultFor []string
	// byDefault is the default certificate, or nil, once hasDefault is set. See builder.defaultCertificate.
	byDefault  *model.Certificate
	hasDefault bool
}

// serverKey identifies a Certificate. Clients choose between keys of different algorithms.
type serverKey struct{ name, algorithm string }

func newCertificates() certificates {
	return certificates{
		read:    map[model.Ref]keyPair{},
		taken:   map[serverKey]model.Ref{},
		servers: map[string]owner{},
	}
}

func (c *certificates) sorted() []model.Certificate {
	var out []model.Certificate
	for _, pair := range c.read {
		if pair.Certificate == nil || len(pair.ServerNames) == 0 {
			continue
		}
		slices.Sort(pair.ServerNames)
		out = append(out, *pair.Certificate)
	}
	slices.SortFunc(out, func(a, b model.Certificate) int { return compareRefs(a.Secret, b.Secret) })
	return out
}

func (b *builder) translateTLS(d *description) {
	for i := range d.tls {
		section := &d.tls[i]
		certificate := b.certificate(d, section)
		if certificate == nil {
			continue
		}
		for _, name := range b.serverNames(d, section) {
			b.serve(&listing{by: d, certificate: certificate, name: name, field: section.field})
		}
	}
}

// serverNames returns the hosts that the section lists. If it lists none, it returns the hosts of the rules.
func (b *builder) serverNames(d *description, section *tlsDescription) []string {
	if len(section.hosts) == 0 {
		return d.hosts
	}
	var out []string
	for i, host := range section.hosts {
		if problem := checkHost(host); problem != "" {
			b.reports.add(d.ref, ReasonInvalidHost, fmt.Sprintf("%s[%d]", section.hostsField, i),
				"host %s %s. No certificate is served for it", quote(host), problem)
			continue
		}
		out = append(out, host)
	}
	return out
}

// listing is a server name in a TLS section with the certificate of the section.
type listing struct {
	by          *description
	certificate *model.Certificate
	name, field string
}

// serve presents a certificate for a server name if its namespace owns the name. An older certificate takes precedence.
func (b *builder) serve(l *listing) {
	if l.name == "" && b.options.DefaultCertificate.Name != "" {
		b.refuseDefault(l.by, l.certificate, l.field)
		return
	}
	switch hostOwner := b.serverOf(l); {
	case hostOwner.namespace == l.by.namespace():
		b.present(l, l.name)
	case strings.HasPrefix(l.name, "*."):
		b.certs.spare = append(b.certs.spare, l) // it may serve exact hosts, see serveBelowWildcards
	default:
		b.refuseCertificate(l, hostOwner)
	}
}

// serverOf returns the owner whose certificates are presented for a name. A name without an owner belongs to the namespace
// that lists it first.
func (b *builder) serverOf(l *listing) owner {
	if hostOwner, owned := b.owners.of(l.name); owned {
		return hostOwner
	}
	if hostOwner, served := b.certs.servers[l.name]; served {
		return hostOwner
	}
	return owner{namespace: l.by.namespace(), object: l.by.ref}
}

// server returns the owner of the certificates that are presented for a server name: the first in the order of
// translateObjects. served is false without certificates.
func (b *builder) server(name string) (hostOwner owner, served bool) {
	hostOwner = b.lookups.server(name, b.certs.servers[name])
	return hostOwner, hostOwner != owner{}
}

func (b *builder) refuseCertificate(l *listing, hostOwner owner) {
	b.refuse(l.by, hostOwner, l.name, l.field, "the certificate of "+l.certificate.Secret.String(), "")
}

// present presents the certificate of a listing for its name, or for a host below it.
func (b *builder) present(l *listing, name string) {
	c, key := l.certificate, serverKey{name, l.certificate.Algorithm}
	if _, served := b.certs.servers[name]; !served {
		b.certs.servers[name] = owner{namespace: l.by.namespace(), object: l.by.ref}
	}
	first, taken := b.certs.taken[key]
	if taken && first != c.Secret {
		b.reports.add(l.by.ref, ReasonCertificateConflict, l.field,
			"host %s already uses the %s certificate of %s, which an older TLS section names: %s is not used for it",
			quote(name), c.Algorithm, first, c.Secret)
		return
	}
	if !taken {
		b.certs.taken[key] = c.Secret
		c.ServerNames = append(c.ServerNames, name)
	}
	if name != "" && !covers(c.Pair.Leaf, name) {
		b.reports.add(l.by.ref, ReasonHostNotInCertificate, l.field,
			"the certificate of %s is not valid for host %s: clients will reject it", c.Secret, quote(name))
	}
}

// refuseDefault reports a certificate for any host that --default-certificate overrides.
func (b *builder) refuseDefault(d *description, c *model.Certificate, field string) {
	if c != b.defaultCertificate() {
		b.reports.add(d.ref, ReasonCertificateConflict, field,
			"clients that request an unknown host get the certificate of Secret %s, which --default-certificate names: %s is "+
				"not used for them", b.options.DefaultCertificate, c.Secret)
	}
}
