package translate

import (
	"cmp"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// linkKeys is what connects an Ingress with others.
type linkKeys struct {
	named   []string // hosts of rules
	routed  []string // hosts with own routes
	served  []string // hosts with own routes that are not only for ACME challenges
	listed  []listedName
	cookies []cookieKey // cookies with an explicit domain, and groups of policies, see Engine.domainCookies
}

// listedName is a server name that a TLS section lists, and its Secret.
type listedName struct {
	name   string
	secret model.Ref
}

func linkKeysOf(d *description) linkKeys {
	if d == nil {
		return linkKeys{}
	}
	extras := d.extraHosts()
	patterns := description{rules: d.asPatterns(), canary: d.canary}
	keys := linkKeys{
		named: mergeHosts(d.allHosts(), extras), routed: mergeHosts(patterns.routedHosts(true), extras),
		served: mergeHosts(d.routedHosts(false), extras),
	}
	keys.routed, keys.served = shareSlice(keys.routed, keys.named), shareSlice(keys.served, keys.named)
	for i := range d.tls {
		section := &d.tls[i]
		names := section.hosts
		if len(names) == 0 {
			names = mergeHosts(slices.Clone(d.hosts), extras)
		}
		for _, name := range names {
			if l := (listedName{name, section.secret}); checkHost(name) == "" && !slices.Contains(keys.listed, l) {
				keys.listed = append(keys.listed, l)
			}
		}
	}
	return keys
}

// shareSlice returns other if it equals list, to need the memory once.
func shareSlice(list, other []string) []string {
	if slices.Equal(list, other) {
		return other
	}
	return list
}

// mergeHosts appends the hosts that are missing.
func mergeHosts(hosts, more []string) []string {
	for _, host := range more {
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

func (k *linkKeys) equal(other *linkKeys) bool {
	return slices.Equal(k.named, other.named) && slices.Equal(k.routed, other.routed) && slices.Equal(k.served, other.served) &&
		slices.Equal(k.listed, other.listed) && slices.Equal(k.cookies, other.cookies)
}

// linkage has the Ingresses of each key. It decides which Ingresses rules can connect.
type linkage struct {
	hosts map[string]*linkHost
	below map[string][]*linkHost // the exact hosts below a wildcard host
	// challenged are the exact hosts with routes for ACME challenges only, see builder.inheritSettings.
	challenged map[*linkHost]struct{}
	// cookies has the Ingresses of each cookie with an explicit domain, and domains has the cookies of each domain.
	cookies map[cookieKey][]*node
	domains map[string][]cookieKey
}

// linkHost is a host that rules or TLS sections name.
type linkHost struct {
	name    string
	namers  []*node // Ingresses with rules for the host
	listers []*node // Ingresses with TLS sections for the host
	routed  counts[string]
	served  int            // Ingresses with routes that are not only for ACME challenges
	listed  counts[string] // namespaces of the TLS sections
	secrets counts[model.Ref]
}

func newLinkage() linkage {
	return linkage{
		hosts: map[string]*linkHost{}, below: map[string][]*linkHost{}, challenged: map[*linkHost]struct{}{},
		cookies: map[cookieKey][]*node{}, domains: map[string][]cookieKey{},
	}
}

// host returns a host, and adds it if it is missing.
func (l *linkage) host(name string) *linkHost {
	h := l.hosts[name]
	if h == nil {
		h = &linkHost{name: name}
		l.hosts[name] = h
		if wildcard, found := wildcardOver(name); found {
			l.below[wildcard] = append(l.below[wildcard], h)
		}
	}
	return h
}

// drop removes a host that no Ingress names.
func (l *linkage) drop(h *linkHost) {
	if len(h.namers)+len(h.listers) > 0 {
		return
	}
	delete(l.hosts, h.name)
	if wildcard, found := wildcardOver(h.name); found {
		if l.below[wildcard] = without(l.below[wildcard], h); len(l.below[wildcard]) == 0 {
			delete(l.below, wildcard)
		}
	}
}

func (l *linkage) add(n *node, namespace string, keys *linkKeys) {
	for _, name := range keys.named {
		h := l.host(name)
		h.namers = append(h.namers, n)
	}
	for _, name := range keys.served {
		l.host(name).served++
	}
	for _, name := range keys.routed {
		h := l.host(name)
		h.routed.add(namespace)
		l.setChallenged(h)
	}
	for _, listed := range keys.listed {
		h := l.host(listed.name)
		h.listers = append(h.listers, n)
		h.listed.add(namespace)
		h.secrets.add(listed.secret)
	}
	for _, key := range keys.cookies {
		if len(l.cookies[key]) == 0 && key.domain != "" {
			l.domains[key.domain] = append(l.domains[key.domain], key)
		}
		l.cookies[key] = append(l.cookies[key], n)
	}
}

func (l *linkage) remove(n *node, namespace string, keys *linkKeys) {
	for _, name := range keys.served {
		l.hosts[name].served--
	}
	for _, name := range keys.routed {
		h := l.hosts[name]
		h.routed.remove(namespace)
		l.setChallenged(h)
	}
	for _, name := range keys.named {
		h := l.hosts[name]
		h.namers = without(h.namers, n)
		l.drop(h)
	}
	for _, listed := range keys.listed {
		h := l.host(listed.name)
		h.listers = without(h.listers, n)
		h.listed.remove(namespace)
		h.secrets.remove(listed.secret)
		l.drop(h)
	}
	for _, key := range keys.cookies {
		if l.cookies[key] = without(l.cookies[key], n); len(l.cookies[key]) == 0 {
			delete(l.cookies, key)
			if key.domain == "" {
				continue
			}
			if l.domains[key.domain] = without(l.domains[key.domain], key); len(l.domains[key.domain]) == 0 {
				delete(l.domains, key.domain)
			}
		}
	}
}

// connectsListers reports whether TLS sections for a host connect their Ingresses with each other and with those that route
// the host. They do not if all name one Secret of one namespace, and no other namespace owns the host: then
// each section has the same effect, alone or not.
func (l *linkage) connectsListers(h *linkHost) bool {
	if len(h.secrets) > 1 || len(h.listed) > 1 {
		return true
	}
	if len(h.listed) == 0 {
		return false
	}
	namespace := h.listed[0].key
	if h.routed.hasOther(namespace) {
		return true
	}
	wildcard, _ := wildcardOver(h.name)
	above := l.hosts[wildcard] // owns the host if an Ingress that lists it does not know that others route it
	return wildcard != "" && above != nil && above.routed.hasOther(namespace)
}

// isContested reports whether one namespace may have certificates for a wildcard host that another one owns.
func (h *linkHost) isContested() bool {
	if len(h.listed) == 0 {
		return false
	}
	return len(h.listed) > 1 || h.routed.hasOther(h.listed[0].key)
}

// setChallenged updates whether a host is one of challenged.
func (l *linkage) setChallenged(h *linkHost) {
	_, isExact := wildcardOver(h.name)
	if isExact && len(h.routed) > 0 && h.served == 0 {
		l.challenged[h] = struct{}{}
	} else {
		delete(l.challenged, h)
	}
}

// isChallenged reports whether a host has routes for ACME challenges only.
func (l *linkage) isChallenged(h *linkHost) bool {
	_, is := l.challenged[h]
	return is
}

// connects reports whether an exact host is connected with its wildcard host.
func (l *linkage) connects(h, wildcard *linkHost) bool {
	if l.isChallenged(h) {
		return true
	}
	if len(h.routed) > 0 {
		return wildcard.isContested() // see builder.serveBelowWildcards
	}
	return len(h.listers) > 0 && l.connectsListers(h) // the wildcard host decides the owner, see owners.of
}

// compareServers orders Ingresses as translateObjects does: canaries last, otherwise by age.
func compareServers(x, y *rank) int {
	return cmp.Or(compareBools(x.isCanary, y.isCanary), x.compare(y))
}
