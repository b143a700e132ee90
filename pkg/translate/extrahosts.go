package translate

import (
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// addAppRoot adds a rule for "/" that redirects to the app root on each host. As in ingress-nginx, this applies to the whole
// host, whether or not the object has a rule for "/".
func (r *ingressReader) addAppRoot() {
	if r.paths.appRoot == "" || r.canary != nil {
		return
	}
	redirect := &model.Redirect{Status: 302, Path: r.paths.appRoot, IsRelative: r.paths.isRelative}
	for _, host := range r.ruleHosts(nil, false) {
		isOwn := false
		for i := range r.rules {
			rule := &r.rules[i]
			if slices.Contains(rule.hosts, host) && rule.path == "/" && rule.pathType == model.PathExact && rule.problem == nil {
				rule.redirect, rule.written, isOwn = redirect, "", true
			}
		}
		if !isOwn {
			r.rules = append(r.rules, ruleDescription{
				field: "metadata.annotations", hosts: []string{host}, path: "/", pathType: model.PathExact, redirect: redirect,
			})
		}
	}
}

// addExtras adds the rules for aliases and for www twins. Aliases have the rules of the first host.
func (r *ingressReader) addExtras() {
	if r.canary != nil {
		return
	}
	first := slices.IndexFunc(r.hosts, func(host string) bool { return host != "" })
	for _, alias := range r.paths.aliases {
		if first < 0 || slices.Contains(r.hosts, alias) {
			continue
		}
		for i := range r.rules {
			if rule := r.rules[i]; slices.Contains(rule.hosts, r.hosts[first]) {
				rule.hosts = []string{alias}
				r.extras = append(r.extras, rule)
			}
		}
	}
	for _, host := range r.hosts {
		twin, isWWW := strings.CutPrefix(host, "www.")
		if r.paths.www == nil || host == "" || strings.HasPrefix(host, "*.") {
			continue
		}
		if !isWWW {
			twin = "www." + host
		}
		redirect := *r.paths.www
		redirect.Host = host
		r.extras = append(r.extras, ruleDescription{
			field: "metadata.annotations", hosts: []string{twin}, path: "/", pathType: model.PathPrefix, redirect: &redirect,
		})
	}
}

// placeExtras adds the extra rules of each object to its rules, on hosts that no object has rules for. Rules for ACME challenges
// do not count, because an issuer adds and removes them. If several objects have extra rules for a host, the oldest one is used.
func (b *builder) placeExtras() {
	taken := map[string]model.Ref{}
	for _, d := range b.descriptions {
		for _, host := range d.routedHosts(false) {
			if _, isTaken := taken[host]; !isTaken {
				taken[host] = d.ref
			}
		}
	}
	for i, d := range b.descriptions {
		if len(d.extras) == 0 {
			continue
		}
		placed := *d
		placed.rules, placed.hosts = slices.Clone(d.rules), slices.Clone(d.hosts)
		own := map[string]bool{}
		for j := range d.extras {
			rule := &d.extras[j]
			host := rule.hosts[0]
			if by, isTaken := taken[host]; isTaken && !own[host] {
				if !isWWWRedirect(rule) { // ingress-nginx redirects the twin only if the host does not exist
					b.reports.add(d.ref, ReasonHostConflict, "metadata.annotations",
						"host %s is not an alias of this %s, because %s has it", quote(host), d.ref.Kind, by)
				}
				continue
			}
			taken[host], own[host] = d.ref, true
			placed.rules = append(placed.rules, *rule)
			placed.addHost(host)
		}
		b.descriptions[i] = &placed
	}
}

func isWWWRedirect(rule *ruleDescription) bool {
	return rule.redirect != nil && rule.redirect.Host != ""
}

// extraHosts returns the hosts of the extra rules, without duplicates.
func (d *description) extraHosts() []string {
	var hosts []string
	for i := range d.extras {
		if host := d.extras[i].hosts[0]; !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}
