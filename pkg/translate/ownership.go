package translate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// owner is the namespace that decides every setting of a host.
type owner struct {
	namespace string
	// object is its oldest object that routes the host. It is told about those of other namespaces that try to decide.
	object model.Ref
}

// owners holds the owner of each host that some object routes, by the host as rules write it: "shop.example.com",
// "*.example.com", or "" for any host.
type owners map[string]owner

// of returns the owner of a host: the namespace with its oldest routing object or, where no object routes an exact host, the
// owner of the wildcard that covers it. A host that no object routes has no owner.
func (o owners) of(host string) (who owner, owned bool) {
	if who, owned = o[host]; owned {
		return who, true
	}
	if wildcard, found := wildcardOver(host); found {
		who, owned = o[wildcard]
	}
	return who, owned
}

// owns reports whether the namespace decides about a host that it routes, or that it has routes below.
func (o owners) owns(namespace, host string) bool {
	who, owned := o.of(host)
	return owned && who.namespace == namespace
}

// wildcardOver returns the wildcard host that covers an exact one.
func wildcardOver(host string) (wildcard string, found bool) {
	if strings.HasPrefix(host, "*.") {
		return "", false
	}
	_, suffix, found := strings.Cut(host, ".")
	return "*." + suffix, found
}

// findOwners goes through the objects, oldest first.
func (b *builder) findOwners() {
	for _, d := range b.descriptions {
		for _, host := range d.routedHosts() {
			if _, owned := b.owners[host]; !owned {
				b.owners[host] = owner{namespace: d.namespace(), object: d.ref}
			}
		}
	}
}

// refuse reports to both sides that a host belongs to another namespace. subject is what the object asks for, and outcome what
// follows for it.
func (b *builder) refuse(d *description, who owner, host, field, subject, outcome string) {
	b.reports.add(d.ref, ReasonHostConflict, field, "%s does not count for host %s, which belongs to namespace %s by %s%s",
		subject, quote(host), who.namespace, who.object, outcome)
	b.notices.add(who.object, ReasonHostClaimed, "%s asks for %s of host %s, which belongs to this namespace: it does not count",
		d.ref, subject, quote(host))
}

// mayRoute reports whether a route of an object counts. Others than the owner may add paths to a host, unless the options
// say otherwise, but no ACME challenges: whoever serves those gets certificates for the host.
func (b *builder) mayRoute(d *description, key routeKey, field string) bool {
	who, owned := b.owners.of(key.host)
	switch {
	case !owned || who.namespace == d.namespace():
		return true
	case isChallenge(key.path):
		b.refuse(d, who, key.host, field, "a route for ACME challenges", ". This path is left out")
	case b.options.OwnerRoutesOnly:
		b.refuse(d, who, key.host, field, "a route", ". With --host-routes=owner this path is left out")
	default:
		return true
	}
	return false
}

// challengePath is where CAs look for proof that the applicant controls a host (RFC 8555 section 8.3).
const challengePath = "/.well-known/acme-challenge"

func isChallenge(path string) bool {
	rest, found := strings.CutPrefix(path, challengePath)
	return found && (rest == "" || rest[0] == '/')
}

// maxNotices bounds what other namespaces can make us say about an object.
const maxNotices = 8

// notices are Problems that other namespaces cause. They follow those of the object itself, so that they displace none.
type notices map[model.Ref][]Problem

func (n notices) add(ref model.Ref, reason, format string, args ...any) {
	p := problemOf(reason, "spec", format, args...)
	if len(n[ref]) > maxNotices || slices.Contains(n[ref], p) {
		return
	}
	if len(n[ref]) == maxNotices {
		p = problemOf(ReasonMoreProblems, "", "there are more problems that other namespaces cause than these")
	}
	n[ref] = append(n[ref], p)
}

// addNotices comes last.
func (b *builder) addNotices() {
	for ref, list := range b.notices {
		for _, p := range list {
			b.reports.addProblem(ref, p)
		}
	}
}

// hostOwners returns the owners of those hosts for whose requests other namespaces have routes, too.
func (b *builder) hostOwners() []model.HostOwner {
	namespaces := map[string]string{} // of the routes of a host: several make it severalNamespaces
	for i := range b.routes.list {
		route := &b.routes.list[i]
		if have, found := namespaces[route.Host]; found && have != route.Source.Namespace {
			namespaces[route.Host] = severalNamespaces
			continue
		}
		namespaces[route.Host] = route.Source.Namespace
	}
	var out []model.HostOwner
	for host := range namespaces {
		who := b.owners[host]
		if hasOthers(namespaces, host, who.namespace) {
			out = append(out, model.HostOwner{Host: host, Namespace: who.namespace, SharesUnmatched: b.options.SharesUnmatched})
		}
	}
	slices.SortFunc(out, func(x, y model.HostOwner) int { return cmp.Compare(x.Host, y.Host) })
	return out
}

// severalNamespaces is no name of a namespace.
const severalNamespaces = "*"

// hasOthers reports whether routes for a host, for the wildcard over it or for any host are of other namespaces.
func hasOthers(namespaces map[string]string, host, namespace string) bool {
	wildcard, _ := wildcardOver(host)
	for _, name := range []string{host, wildcard, ""} {
		if have, found := namespaces[name]; found && have != namespace {
			return true
		}
	}
	return false
}
