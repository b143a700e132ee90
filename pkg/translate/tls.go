package translate

import (
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// certificates collects the Certificates of one Build, those of older Ingresses first.
type certificates struct {
	before map[model.Ref]*model.Certificate // those in use, which is where an unchanged Secret need not be read again
	read   map[model.Ref]keyPair
	taken  map[serverKey]model.Ref
	// servers holds whose certificates are presented for a name: its owner or, where it has none, who listed it first.
	servers map[string]owner
	// spare are the sections that list a wildcard which another namespace serves.
	spare []*listing
	// defaultFor is Model.DefaultCertificateFor.
	defaultFor []string
	// byDefault is the default certificate, nil if there is none.
	byDefault *model.Certificate
}

// serverKey is what no two Certificates share: clients choose between keys of different algorithms.
type serverKey struct{ name, algorithm string }

func newCertificates(before *model.Model) certificates {
	c := certificates{
		before:  map[model.Ref]*model.Certificate{},
		read:    map[model.Ref]keyPair{},
		taken:   map[serverKey]model.Ref{},
		servers: map[string]owner{},
	}
	if before != nil {
		for i := range before.Certificates {
			c.before[before.Certificates[i].Secret] = &before.Certificates[i]
		}
	}
	return c
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

func (b *builder) translateTLS(s *source) {
	for i := range s.Spec.TLS {
		section, field := &s.Spec.TLS[i], fmt.Sprintf("spec.tls[%d]", i)
		certificate := b.certificate(s, section, field+".secretName")
		if certificate == nil {
			continue
		}
		for _, name := range b.serverNames(s, section, field+".hosts") {
			b.serve(&listing{s: s, certificate: certificate, name: name, field: field})
		}
	}
}

// serverNames are the hosts that the section lists or, if it lists none, those of the rules.
func (b *builder) serverNames(s *source, section *networkingv1.IngressTLS, field string) []string {
	if len(section.Hosts) == 0 {
		return ruleHosts(s)
	}
	var out []string
	for i, host := range section.Hosts {
		if wrong := checkHost(host); wrong != "" {
			b.reports.add(s.ref, ReasonInvalidHost, fmt.Sprintf("%s[%d]", field, i),
				"host %s %s. No certificate is served for it", quote(host), wrong)
			continue
		}
		out = append(out, host)
	}
	return out
}

// ruleHosts leaves out hosts that are wrong: the rule has said so. Where an Ingress routes any host, that is "".
func ruleHosts(s *source) []string {
	var out []string
	for i := range s.Spec.Rules {
		if host := s.Spec.Rules[i].Host; checkHost(host) == "" && !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	if len(s.Spec.Rules) == 0 {
		out = append(out, "")
	}
	return out
}

// listing is a server name in a TLS section, and the certificate that the section has for it.
type listing struct {
	s           *source
	certificate *model.Certificate
	name, field string
}

// serve presents a certificate for a server name if the namespace owns that, and no older Ingress has another one for it.
func (b *builder) serve(l *listing) {
	if l.name == "" && b.options.DefaultCertificate.Name != "" {
		b.refuseDefault(l.s, l.certificate, l.field)
		return
	}
	switch who := b.serverOf(l); {
	case who.namespace == l.s.Namespace:
		b.present(l, l.name)
	case strings.HasPrefix(l.name, "*."):
		b.certs.spare = append(b.certs.spare, l) // it may serve single hosts below
	default:
		b.refuseCertificate(l, who)
	}
}

// serverOf returns whose certificates are presented for a name: those of its owner. A name that no Ingress routes, and that no
// routed wildcard covers, is open to the namespace that lists it first.
func (b *builder) serverOf(l *listing) owner {
	if who, owned := b.owners.of(l.name); owned {
		return who
	}
	if who, served := b.certs.servers[l.name]; served {
		return who
	}
	return owner{namespace: l.s.Namespace, ingress: l.s.ref}
}

func (b *builder) refuseCertificate(l *listing, who owner) {
	b.refuse(l.s, who, l.name, l.field, "the certificate of "+l.certificate.Secret.String(), "")
}

// present presents the certificate of a listing for its name, or for a host below it.
func (b *builder) present(l *listing, name string) {
	c, key := l.certificate, serverKey{name, l.certificate.Algorithm}
	if _, served := b.certs.servers[name]; !served {
		b.certs.servers[name] = owner{namespace: l.s.Namespace, ingress: l.s.ref}
	}
	if first, taken := b.certs.taken[key]; taken {
		if first != c.Secret {
			b.reports.add(l.s.ref, ReasonCertificateConflict, l.field,
				"host %s is served with %s already, which an older section names and whose key is of type %s as well: %s is "+
					"not used for it", quote(name), first, c.Algorithm, c.Secret)
		}
		return
	}
	b.certs.taken[key] = c.Secret
	c.ServerNames = append(c.ServerNames, name)
	if name != "" && !covers(c.Pair.Leaf, name) {
		b.reports.add(l.s.ref, ReasonHostNotInCertificate, l.field,
			"the certificate of %s was not made for host %s: clients will refuse it", c.Secret, quote(name))
	}
}

// refuseDefault is for an Ingress that routes any host, and so would have a default certificate of its own.
func (b *builder) refuseDefault(s *source, c *model.Certificate, field string) {
	if c != b.certs.byDefault {
		b.reports.add(s.ref, ReasonCertificateConflict, field,
			"clients that name no known host get the certificate of Secret %s, as --default-certificate says: %s is not used for "+
				"them", b.options.DefaultCertificate, c.Secret)
	}
}
