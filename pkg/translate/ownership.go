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
	// object is its oldest object that routes the host. Its Report lists the conflicting objects of other namespaces.
	object model.Ref
}

// owners maps each routed host to its owner. Keys are "shop.example.com", "*.example.com", or "" for any host.
type owners map[string]owner

// of returns the owner of a host: the namespace of the oldest object that routes it. If no object routes an exact host, that
// is the owner of its wildcard host. A host that is not routed has no owner.
func (o owners) of(host string) (hostOwner owner, owned bool) {
	if hostOwner, owned = o[host]; owned {
		return hostOwner, true
	}
	if wildcard, found := wildcardOver(host); found {
		hostOwner, owned = o[wildcard]
	}
	return hostOwner, owned
}

// owns reports whether the namespace owns a host.
func (o owners) owns(namespace, host string) bool {
	hostOwner, owned := o.of(host)
	return owned && hostOwner.namespace == namespace
}

// wildcardOver returns the wildcard host that covers an exact one.
func wildcardOver(host string) (wildcard string, found bool) {
	if strings.HasPrefix(host, "*.") {
		return "", false
	}
	_, suffix, found := strings.Cut(host, ".")
	return "*." + suffix, found
}

// findOwners sets the owner of each routed host. The oldest object wins. Paths for ACME challenges in the namespaces of
// Options.ACMENamespaces establish ownership only if nothing else does: an operator allows them for the hosts of others.
func (b *builder) findOwners() {
	for _, d := range b.descriptions {
		for _, host := range d.routedHosts(!b.servesChallenges(d)) {
			b.own(host, owner{namespace: d.namespace(), object: d.ref})
		}
	}
	for _, d := range b.descriptions {
		if !b.servesChallenges(d) {
			continue
		}
		for _, host := range d.routedHosts(true) {
			hostOwner, owned := b.owners.of(host)
			if !owned {
				hostOwner = owner{namespace: d.namespace(), object: d.ref}
			}
			b.own(host, hostOwner)
		}
	}
}

// own sets the owner of a host without an owner.
func (b *builder) own(host string, hostOwner owner) {
	if _, owned := b.owners[host]; !owned {
		b.owners[host] = hostOwner
	}
}

// servesChallenges reports whether the routes of an object for ACME challenges count on the hosts of others.
func (b *builder) servesChallenges(d *description) bool {
	return slices.Contains(b.options.ACMENamespaces, d.namespace())
}

// refuse reports on both objects that a host belongs to another namespace. subject names the ignored setting, and outcome
// describes how the object is handled.
func (b *builder) refuse(d *description, hostOwner owner, host, field, subject, outcome string) {
	b.reports.add(d.ref, ReasonHostConflict, field, "%s is ignored for host %s: namespace %s owns the host because of %s%s",
		subject, quote(host), hostOwner.namespace, hostOwner.object, outcome)
	b.notices.add(hostOwner.object, ReasonHostClaimed, "%s of %s is ignored for host %s, which this namespace owns",
		subject, d.ref, quote(host))
}

// mayRoute reports whether an object may have a route. Other namespaces than the owner may add paths to a host, unless
// Options.OwnerRoutesOnly is set. They may not add ACME challenges, because these prove control of the host to a CA. The
// namespaces of Options.ACMENamespaces may.
func (b *builder) mayRoute(d *description, key routeKey, field string) bool {
	hostOwner, owned := b.owners.of(key.host)
	switch {
	case !owned || hostOwner.namespace == d.namespace():
		return true
	case model.IsChallenge(key.path) && b.servesChallenges(d):
		return true
	case model.IsChallenge(key.path):
		b.refuse(d, hostOwner, key.host, field, "a route for ACME challenges", ". This path is ignored")
	case b.options.OwnerRoutesOnly:
		b.refuse(d, hostOwner, key.host, field, "a route", ". With --host-routes=owner this path is ignored")
	default:
		return true
	}
	return false
}

// maxNotices bounds the Problems of an object that other namespaces cause.
const maxNotices = 8

// notices are Problems that other namespaces cause. They are listed after the Problems of the object itself.
type notices map[model.Ref][]Problem

func (n notices) add(ref model.Ref, reason, format string, args ...any) {
	p := problemOf(reason, "spec", format, args...)
	if len(n[ref]) > maxNotices || slices.Contains(n[ref], p) {
		return
	}
	if len(n[ref]) == maxNotices {
		p = problemOf(ReasonMoreProblems, "", "other namespaces cause more problems than are listed")
	}
	n[ref] = append(n[ref], p)
}

// addNotices adds the notices to the Reports. It must run last.
func (b *builder) addNotices() {
	for ref, list := range b.notices {
		for _, p := range list {
			b.reports.addProblem(ref, p)
		}
	}
}

// hostOwners returns the owners of the hosts whose requests routes of other namespaces may match, too.
func (b *builder) hostOwners() []model.HostOwner {
	namespaces := b.routeNamespaces()
	var out []model.HostOwner
	for host := range namespaces {
		hostOwner := b.owners[host]
		if hasOthers(host, hostOwner.namespace, func(name string) (string, bool) {
			have, found := namespaces[name]
			return have, found
		}) {
			out = append(out, b.options.hostOwner(host, hostOwner.namespace))
		}
	}
	slices.SortFunc(out, func(x, y model.HostOwner) int { return cmp.Compare(x.Host, y.Host) })
	return out
}

// hostOwner returns the entry of Model.Owners for a host.
func (o *Options) hostOwner(host, namespace string) model.HostOwner {
	return model.HostOwner{
		Host: host, Namespace: namespace, ACMENamespaces: o.ACMENamespaces, SharesUnmatched: o.SharesUnmatched,
	}
}

// routeNamespaces returns the namespace of the routes of each host, or severalNamespaces.
func (b *builder) routeNamespaces() map[string]string {
	namespaces := map[string]string{}
	for i := range b.routes.list {
		route := &b.routes.list[i]
		if have, found := namespaces[route.Host]; found && have != route.Source.Namespace {
			namespaces[route.Host] = severalNamespaces
			continue
		}
		namespaces[route.Host] = route.Source.Namespace
	}
	return namespaces
}

// severalNamespaces is not a valid name of a namespace.
const severalNamespaces = "*"

// hasOthers reports whether other namespaces have routes for a host, for its wildcard host or for any host. routedBy returns
// the namespace of the routes of a host, or severalNamespaces. found is false if the host has no routes.
func hasOthers(host, namespace string, routedBy func(host string) (have string, found bool)) bool {
	if host == model.HostUnmatched { // its requests do not fall through
		return false
	}
	wildcard, _ := wildcardOver(host)
	for _, name := range [...]string{host, wildcard, ""} {
		if have, found := routedBy(name); found && have != namespace {
			return true
		}
	}
	return false
}
