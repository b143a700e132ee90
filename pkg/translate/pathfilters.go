package translate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// findTLSHosts records the hosts with a TLS section of an object that has rules for them. Only objects of the namespace that
// owns the host count, because other certificates are not served.
func (b *builder) findTLSHosts() {
	for _, d := range b.descriptions {
		for i := range d.tls {
			names := d.tls[i].hosts
			if len(names) == 0 {
				names = d.hosts
			}
			for _, host := range d.hosts {
				wildcard, _ := wildcardOver(host)
				covered := slices.Contains(names, host) || wildcard != "" && slices.Contains(names, wildcard)
				if covered && b.owners.owns(d.namespace(), host) {
					b.tlsHosts[host] = true
				}
			}
		}
	}
}

// addPathFilters adds the filters for redirects, rewriting and the header fields that follow from them to a route.
func (b *builder) addPathFilters(t *translation, rule *ruleDescription, route *model.Route) {
	p := &t.paths
	f := model.Filters{}
	if route.Filters != nil {
		f = *route.Filters
	}
	before := f
	if p.https != nil && (p.isForced || b.tlsHosts[route.Host]) && !isWWWRedirect(rule) && !rule.isBelow(p.unredirected) {
		f.HTTPSRedirect = p.https
	}
	f.Redirect = p.redirect
	if rule.redirect != nil {
		f.Redirect = rule.redirect
	}
	if t.rewrites(rule) && route.PathType == model.PathPattern {
		f.Rewrite = &model.Rewrite{Pattern: route.Path, Target: p.rewrite}
	}
	if route.PathType == model.PathPrefix && p.addsSlash(rule.written) {
		f.SlashRedirect = &model.SlashRedirect{Path: route.Path, IsRelative: p.isRelative}
	}
	f.Forward = p.forward(rule)
	if f != before {
		route.Filters = &f
	}
}

// addsSlash reports whether requests for a path without the slash at its end are redirected to it.
func (p *pathSettings) addsSlash(path string) bool {
	return p.isLikeNginx && len(path) > 1 && strings.HasSuffix(path, "/")
}

// isBelow reports whether the path of a rule, as written, begins with one of these texts. ingress-nginx compares the paths of
// rules, not those of requests.
func (rule *ruleDescription) isBelow(locations []string) bool {
	return slices.ContainsFunc(locations, func(l string) bool { return strings.HasPrefix(rule.written, l) })
}

// forward returns the header fields for pods, or nil.
func (p *pathSettings) forward(rule *ruleDescription) *model.ForwardHeaders {
	if p.upstreamHost == "" && p.prefix == "" {
		return nil
	}
	return &model.ForwardHeaders{Host: rule.upstreamHost(p.upstreamHost), Prefix: p.prefix}
}

// upstreamHost returns the Host for pods, with the values of its variables.
func (rule *ruleDescription) upstreamHost(text string) string {
	if !strings.Contains(text, "$") || len(rule.backends) == 0 {
		return text
	}
	backend := &rule.backends[0]
	port := backend.port.name
	if port == "" {
		port = strconv.Itoa(int(backend.port.number))
	}
	values := strings.NewReplacer("$service_name", backend.service, "$namespace", backend.namespace, "$service_port", port)
	return values.Replace(text)
}
