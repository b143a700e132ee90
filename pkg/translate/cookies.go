package translate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// cookieKey identifies a cookie in browsers, apart from its path.
type cookieKey struct {
	domain string // the host if the cookie has no domain
	name   string
}

// cookieClaim is a cookie that a backend sets.
type cookieClaim struct {
	path  string
	scope string
}

// separateCookies ensures that sticky backends do not overwrite each other's cookies. If two cookies have the same name and
// overlapping paths, the cookie of the older object keeps the name, and the other is renamed.
func (b *builder) separateCookies() {
	claims := map[cookieKey][]cookieClaim{}
	for i := range b.routes.list {
		route := &b.routes.list[i]
		for _, backend := range route.Backends {
			if backend.Affinity != nil {
				b.separateBackend(claims, route, backend.Affinity)
			}
		}
	}
}

func (b *builder) separateBackend(claims map[cookieKey][]cookieClaim, route *model.Route, a *model.Affinity) {
	for _, method := range a.Methods {
		if method.Cookie == nil || method.Binding != model.BindingIssued {
			continue
		}
		b.checkReach(route, a, method.Cookie)
		key := cookieKey{domain: method.Cookie.Domain, name: method.Cookie.Name}
		if key.domain == "" {
			key.domain = route.Host
		}
		claim := cookieClaim{path: method.Cookie.Path, scope: a.Scope}
		if owner, taken := conflicting(claims[key], claim); taken {
			b.renameCookie(route, a, method.Cookie, owner.scope)
			key.name = method.Cookie.Name
		}
		if !slices.Contains(claims[key], claim) {
			claims[key] = append(claims[key], claim)
		}
	}
}

func conflicting(claims []cookieClaim, c cookieClaim) (cookieClaim, bool) {
	for _, other := range claims {
		if other.scope != c.scope && overlap(other.path, c.path) {
			return other, true
		}
	}
	return cookieClaim{}, false
}

// isNginxCookie reports whether annotations of ingress-nginx configure the stickiness.
func (b *builder) isNginxCookie(a *model.Affinity) bool {
	return b.uses.by[a].policy == nil && len(a.Adopt) > 0
}

// renameCookie renames a cookie. It reports no problem if a canary shares the stickiness of its primary, or if annotations
// of ingress-nginx set the name: there, all backends of a host have the same one by default. Cookies with that name are adopted.
func (b *builder) renameCookie(route *model.Route, a *model.Affinity, cookie *model.Cookie, owner string) {
	wanted := cookie.Name
	cookie.Name += "-" + model.ScopeSuffix(a.Scope)
	if len(a.Adopt) > 0 {
		a.AdoptCookie = wanted
	}
	b.dropNginxCookie(route, a, wanted, owner)
	if first := route.Backends[0].Affinity; first != nil && first.Scope == owner {
		return
	}
	if b.isNginxCookie(a) {
		return
	}
	b.impair(a, route.Source, route.Source, ReasonCookieConflict, "spec.rules",
		"cookie %s of backend %s on host %s conflicts with the cookie of backend %s: it is renamed to %s",
		quote(wanted), a.Scope, quote(route.Host), owner, quote(cookie.Name))
}

// dropNginxCookie reports a renamed cookie that ingress-nginx would not read. There, the backends overwrite each other's cookie.
func (b *builder) dropNginxCookie(route *model.Route, a *model.Affinity, wanted, owner string) {
	if a.NginxCookie == nil {
		return
	}
	a.NginxCookie = nil
	b.reports.add(route.Source, ReasonCookieConflict, "spec.rules",
		"cookie %s of host %s has the sessions of backend %s, and those of backend %s are in a cookie that ingress-nginx does not "+
			"read: its clients get new pods if you return to ingress-nginx", quote(wanted), quote(route.Host), owner, a.Scope)
}

// checkReach reports a cookie that browsers do not store for the host, or do not send for the path.
func (b *builder) checkReach(route *model.Route, a *model.Affinity, cookie *model.Cookie) {
	host := strings.TrimPrefix(route.Host, "*.")
	if cookie.Domain != "" && host != "" && host != cookie.Domain && !strings.HasSuffix(host, "."+cookie.Domain) {
		b.impair(a, route.Source, route.Source, ReasonCookieOutOfReach, "spec.rules",
			"cookie %s of backend %s has domain %s, which does not include host %s: browsers discard it, so no session lasts",
			quote(cookie.Name), a.Scope, cookie.Domain, quote(route.Host))
	}
	b.checkCleartext(route, a, cookie)
	if !mayReach(cookie.Path, route) {
		b.impair(a, route.Source, route.Source, ReasonCookieOutOfReach, "spec.rules",
			"cookie %s of backend %s has path %s, which does not include path %s of host %s: browsers never send it there",
			quote(cookie.Name), a.Scope, cookie.Path, quote(route.Path), quote(route.Host))
	}
}

// checkCleartext reports a cookie whose name requires TLS on a host for which Limpet has no certificate. The author states with
// secure Always that clients use TLS anyway.
func (b *builder) checkCleartext(route *model.Route, a *model.Affinity, cookie *model.Cookie) {
	prefix, _ := namePrefix(cookie.Name)
	if prefix == "" || cookie.Secure != model.SecureAuto || b.presents(route.Host) {
		return
	}
	b.impair(a, route.Source, route.Source, ReasonCookieOutOfReach, "spec.rules",
		"cookie %s of backend %s begins with %s, and host %s has no certificate: browsers discard it over cleartext. "+
			"Add a TLS section, or set secure Always if a load balancer serves TLS",
		quote(cookie.Name), a.Scope, prefix, quote(route.Host))
}

// presents reports whether a certificate is presented for the host.
func (b *builder) presents(host string) bool {
	if b.defaultCertificate() != nil {
		return true
	}
	_, parent, _ := strings.Cut(host, ".")
	for _, name := range []string{host, "*." + parent} {
		if _, listed := b.server(name); listed {
			return true
		}
	}
	return false
}

// mayReach reports whether a route has paths to which browsers send a cookie with this path. An expression matches paths of any
// case, and only its literal start is known.
func mayReach(cookiePath string, route *model.Route) bool {
	if route.PathType != model.PathPattern {
		return overlap(cookiePath, route.Path)
	}
	path, start := strings.ToLower(cookiePath), pattern.LiteralStart(route.Path)
	return strings.HasPrefix(path, start) || overlap(path, start)
}

// overlap reports whether one of two paths is below the other, by segment (RFC 6265, section 5.1.4).
func overlap(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return a == b || strings.HasPrefix(b, strings.TrimSuffix(a, "/")+"/")
}

func (k cookieKey) compare(other cookieKey) int {
	return cmp.Or(cmp.Compare(k.domain, other.domain), cmp.Compare(k.name, other.name))
}
