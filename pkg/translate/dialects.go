package translate

import (
	"maps"
	"slices"
	"strings"
)

// foreignProtection lists the annotations of other controllers that restrict access, by prefix. A name that ends with "*"
// matches all names with that prefix. Limpet does not apply these annotations. It reports them, because readers of the
// manifest may rely on them, but closes no route, because they were written for another controller.
var foreignProtection = map[string][]string{
	"alb.ingress.kubernetes.io/": {
		"auth-*", "inbound-cidrs", "mutual-authentication", "scheme", "security-groups", "security-group-prefix-lists",
		"shield-advanced-protection", "waf-acl-id", "wafv2-acl-*", "jwt-validation",
	},
	"appgw.ingress.kubernetes.io/": {"appgw-ssl-profile", "use-private-ip", "waf-policy-for-path"},
	"appprotect.f5.com/":           {"app-protect-*"},
	"haproxy-ingress.github.io/":   haproxyProtection,
	"haproxy.org/": {
		"allow-list", "auth-*", "blacklist", "client-ca", "client-crt-optional", "deny-list", "whitelist",
	},
	"higress.io/":            {"auth-*", "blacklist-source-range", "domain-*-source-range", "whitelist-source-range"},
	"ingress.kubernetes.io/": haproxyProtection,
	"k8s.apisix.apache.org/": {"allowlist-source-range", "auth-*", "blocklist-source-range", "plugin-config-name"},
	"konghq.com/":            {"plugins", "policies"},
	"nginx.com/":             {"jwt-*", "policies"},
	"nginx.org/":             {"basic-auth-*", "location-snippets", "policies", "server-snippets"},
	"zalando.org/":           {"skipper-filter"},
	"traefik.ingress.kubernetes.io/": {
		"auth-*", "router.middlewares", "router.tls.options", "ssl-client-*", "whitelist-source-range",
	},
}

// haproxyProtection lists the annotations of haproxy-ingress, which once used the prefix ingress.kubernetes.io/.
var haproxyProtection = []string{
	"allowlist-source-range", "auth-*", "denylist-source-range", "oauth", "oauth-*", "satisfy", "waf", "waf-*",
	"whitelist-source-range",
}

// checkForeign reports protective annotations of other controllers.
func (r *annotationReader) checkForeign() {
	for _, key := range slices.Sorted(maps.Keys(r.annotations)) {
		if isForeignProtection(key) {
			r.report(ReasonForeignAnnotation, key,
				"annotation %s is for another controller and may require protection: Limpet does not read it, and the routes of "+
					"the %s serve without it", quote(key), r.ref.Kind)
		}
	}
}

func isForeignProtection(key string) bool {
	slash := strings.IndexByte(key, '/')
	name := key[slash+1:]
	return slices.ContainsFunc(foreignProtection[key[:slash+1]], func(pattern string) bool {
		start, isStart := strings.CutSuffix(pattern, "*")
		return name == pattern || isStart && strings.HasPrefix(name, start)
	})
}
