package routing

import (
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// site is a host with the hosts to which its unmatched requests fall through. A site belongs to one Table, while unchanged
// hosts are carried over to the next Table.
type site struct {
	*host
	// next serves the paths that host does not match, or is nil.
	next *site
	// owned serves ACME challenges instead. It only has the routes of the namespace that owns the host, and the routes for
	// challenges of model.HostOwner.ACMENamespaces. It is nil if other namespaces have no routes for the host.
	owned *site
}

// linker builds the sites of one Table. The keys of its maps are Route.Host, or Route.Host and a namespace.
type linker struct {
	hosts  map[string]*host
	owners map[string]*model.HostOwner
	sites  map[string]*site
	parts  map[string]map[string]*host
	owned  map[ownedKey]*site
}

type ownedKey struct{ host, namespace string }

func newLinker(hosts map[string]*host, owners []model.HostOwner) *linker {
	l := &linker{
		hosts:  hosts,
		owners: make(map[string]*model.HostOwner, len(owners)),
		sites:  make(map[string]*site, len(hosts)),
		parts:  map[string]map[string]*host{},
		owned:  map[ownedKey]*site{},
	}
	for i := range owners {
		l.owners[owners[i].Host] = &owners[i]
	}
	return l
}

// above returns the host to which paths fall through: the wildcard host of an exact host, otherwise "" (any host). found is
// false for "".
func above(name string) (parent string, found bool) {
	_, suffix, dotted := strings.Cut(name, ".")
	if dotted && !strings.HasPrefix(name, "*.") {
		return "*." + suffix, true
	}
	return "", name != ""
}

// site returns the site of a host, or of the next host above it that has routes, or nil.
func (l *linker) site(name string) *site {
	if s, known := l.sites[name]; known {
		return s
	}
	parent, found := above(name)
	var s *site
	if found {
		s = l.site(parent)
	}
	if h := l.hosts[name]; h != nil {
		s = &site{host: h, next: s}
		l.restrict(s, name, parent)
	}
	l.sites[name] = s
	return s
}

// restrict applies the rights of the owner of a host.
func (l *linker) restrict(s *site, name, parent string) {
	owner := l.owners[name]
	if owner == nil {
		return
	}
	s.owned = l.challenges(name, owner)
	if s.owned == nil {
		s.owned = &site{host: &host{}}
	}
	if s.next != nil && !owner.SharesUnmatched {
		s.next = l.ownedBy(parent, owner.Namespace)
	}
}

// ownedBy returns the routes that a namespace has for a host and for the hosts above it, or nil.
func (l *linker) ownedBy(name, namespace string) *site {
	key := ownedKey{name, namespace}
	if s, known := l.owned[key]; known {
		return s
	}
	var s *site
	if parent, found := above(name); found {
		s = l.ownedBy(parent, namespace)
	}
	if h := l.partsOf(name)[namespace]; h != nil {
		s = &site{host: h, next: s}
	}
	l.owned[key] = s
	return s
}

// challenges returns the routes that serve the ACME challenges of a host, or nil.
func (l *linker) challenges(name string, owner *model.HostOwner) *site {
	if len(owner.ACMENamespaces) == 0 {
		return l.ownedBy(name, owner.Namespace)
	}
	var s *site
	if parent, found := above(name); found {
		s = l.challenges(parent, owner)
	}
	h := l.hosts[name]
	if h == nil {
		return s
	}
	return &site{host: h.challenges(owner), next: s}
}

// partsOf returns the routes of a host by namespace.
func (l *linker) partsOf(name string) map[string]*host {
	if parts, known := l.parts[name]; known {
		return parts
	}
	var parts map[string]*host
	if h := l.hosts[name]; h != nil {
		parts = h.byNamespace()
	}
	l.parts[name] = parts
	return parts
}

// challenges returns the routes of h that may serve the ACME challenges of a host. They are shared with h.
func (h *host) challenges(owner *model.HostOwner) *host {
	some := &host{exact: newPaths(), prefix: newPaths()}
	add := func(r *Route) {
		namespace := r.Source.Namespace
		if namespace == owner.Namespace || model.IsChallenge(r.Path) && slices.Contains(owner.ACMENamespaces, namespace) {
			some.add(r)
		}
	}
	h.exact.all(add)
	h.prefix.all(add)
	return some
}

// byNamespace returns the routes of h by namespace. The parts share the routes with h.
func (h *host) byNamespace() map[string]*host {
	parts := map[string]*host{}
	add := func(r *Route) {
		p := parts[r.Source.Namespace]
		if p == nil {
			p = &host{exact: newPaths(), prefix: newPaths()}
			parts[r.Source.Namespace] = p
		}
		p.add(r)
	}
	h.exact.all(add)
	h.prefix.all(add)
	return parts
}
