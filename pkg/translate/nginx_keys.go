package translate

import (
	"slices"
	"strings"
	"time"
)

// configKey describes one key of the ConfigMap of ingress-nginx and how Limpet handles it.
type configKey struct {
	verdict
	// read takes over a value. It returns what the value must be if it is invalid, otherwise "". Nil for a key without an effect
	// of its own.
	read func(c *configReader, text string) (must string)
}

// nginxKeys lists all keys of the last version of ingress-nginx, and those of earlier versions that clusters still have.
var nginxKeys = slices.Concat(accessKeys, routeKeys, processKeys, otherKeys)

var keysByName = func() map[string]*configKey {
	out := make(map[string]*configKey, len(nginxKeys))
	for i := range nginxKeys {
		out[nginxKeys[i].name] = &nginxKeys[i]
	}
	return out
}()

// NginxKeys returns all known keys of the ConfigMap of ingress-nginx, sorted by name. Their Own is empty.
func NginxKeys() []NginxAnnotation {
	out := make([]NginxAnnotation, 0, len(nginxKeys))
	for i := range nginxKeys {
		out = append(out, nginxKeys[i].row())
	}
	slices.SortFunc(out, func(x, y NginxAnnotation) int { return strings.Compare(x.Name, y.Name) })
	return out
}

// accessKeys are the keys about access.
var accessKeys = []configKey{
	{verdict{name: "whitelist-source-range", handling: Exact}, (*configReader).readAllow},
	{verdict{name: "denylist-source-range", handling: Exact}, (*configReader).readDeny},
	{verdict{name: "block-cidrs", handling: Differs, how: "it also applies where an Ingress has lists of its own"},
		(*configReader).readBlock},
	{verdict: verdict{name: "block-user-agents", effect: whenSet, when: "if set"}},
	{verdict: verdict{name: "block-referers", effect: whenSet, when: "if set"}},
	{verdict: verdict{name: "enable-modsecurity", effect: unlessFalse, when: "unless false"}},
	{verdict: verdict{name: "enable-owasp-modsecurity-crs", effect: unlessFalse, when: "unless false"}},
	{verdict: verdict{name: "modsecurity-snippet", effect: whenSet, when: "if set"}},
	{verdict: verdict{name: "main-snippet", effect: snippetEffect, when: whenUnrecognized}},
	{verdict: verdict{name: "http-snippet", effect: snippetEffect, when: whenUnrecognized}},
	{verdict: verdict{name: "server-snippet", effect: snippetEffect, when: whenUnrecognized}},
	{verdict: verdict{name: "location-snippet", effect: snippetEffect, when: whenUnrecognized}},
	{verdict: verdict{name: "stream-snippet", effect: snippetEffect, when: whenUnrecognized}},

	// Authentication by a subrequest, for Ingresses without auth-url. configReader.readGlobalAuth reads all of them.
	{verdict: verdict{name: "global-auth-url", handling: Differs,
		how: "as auth-url differs, and an invalid value closes the routes"}},
	{verdict: verdict{name: "global-auth-method", handling: Exact}},
	{verdict: verdict{name: "global-auth-signin", handling: Exact}},
	{verdict: verdict{name: "global-auth-signin-redirect-param", handling: Exact}},
	{verdict: verdict{name: "global-auth-response-headers", handling: Exact}},
	{verdict: verdict{name: "global-auth-request-redirect", handling: Exact}},
	{verdict: verdict{name: "global-auth-always-set-cookie", handling: Exact}},
	{verdict: verdict{name: "global-auth-cache-key", handling: Differs, how: "nothing is cached for requests with an empty key"}},
	{verdict: verdict{name: "global-auth-cache-duration", handling: Differs,
		how: "max-age of the service shortens the times, and does not extend them"}},
	{verdict: verdict{name: "global-auth-snippet", effect: whenSet, when: "if set"}},
	{verdict{name: "no-auth-locations", handling: Differs, how: "paths of ACME challenges never require authentication",
		exact: with(challengeLocation)}, (*configReader).readNoAuth},
	{verdict{name: "proxy-set-headers", handling: Differs,
		how: "fields about clients and fields whose value has variables are not set, and the routes respond 503 if one of those " +
			"could identify clients to pods"}, (*configReader).readSetHeaders},

	// Who the client is.
	{verdict{name: "use-forwarded-headers", handling: Replaced, how: peerFlags}, trustedProxiesKey("use-forwarded-headers")},
	{verdict{name: "enable-real-ip", handling: Replaced, how: peerFlags}, trustedProxiesKey("enable-real-ip")},
	{verdict{name: "use-proxy-protocol", handling: Replaced,
		how: "--proxy-protocol names the networks of the load balancers; without it, routes with lists of addresses respond 503"},
		(*configReader).requireProxyProtocol},
	{verdict: verdict{name: "proxy-real-ip-cidr", handling: Replaced,
		how: "--trusted-proxies and --proxy-protocol name the networks of the load balancers"}},
	{verdict: verdict{name: "forwarded-for-header", handling: Replaced,
		how: "--client-address-headers names the fields with the address of the client"}},
	{verdict: verdict{name: "compute-full-forwarded-for", handling: Replaced,
		how: "X-Forwarded-For of trusted proxies is extended, and that of other clients is replaced"}},
	{verdict: verdict{name: "proxy-protocol-header-timeout", handling: Replaced,
		how: "the timeout for the head of a request includes the PROXY protocol header"}},

	// What the authors of Ingresses may do.
	{verdict: verdict{name: "allow-snippet-annotations", handling: Differs, exact: with("false"),
		how: "snippets are never executed; the verdict on each annotation is independent of this key"}},
	{verdict: verdict{name: "allow-cross-namespace-resources", handling: Differs, exact: with("false"),
		how: "annotations can only name Secrets in the namespace of the Ingress"}},
	{verdict: verdict{name: "annotations-risk-level", handling: Differs, exact: with("Critical"),
		how: "annotations are honoured regardless of their risk, because none of them becomes configuration"}},
	{verdict: verdict{name: "annotation-value-word-blocklist", handling: Replaced,
		how: "values of annotations are parsed strictly, and never become configuration"}},
	{verdict: verdict{name: "strict-validate-path-type", handling: Differs, exact: with("false"),
		how: "paths with other characters are compared as they are written, or are expressions where use-regex makes them so"}},
	{verdict{name: "global-allowed-response-headers", handling: Exact}, (*configReader).readAllowedHeaders},
}

const (
	// challengeLocation is the default of the keys that list locations.
	challengeLocation = "/.well-known/acme-challenge"
	peerFlags         = "--trusted-proxies names the networks of the proxies; without it, routes with lists of addresses respond 503"
)

// routeKeys are the keys with settings of routes that do not restrict access.
var routeKeys = []configKey{
	{verdict{name: "ssl-redirect", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.SSLRedirect })},
	{verdict{name: "force-ssl-redirect", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.ForceSSLRedirect })},
	{verdict{name: "preserve-trailing-slash", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.KeepsSlash })},
	{verdict{name: "relative-redirects", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.RelativeRedirects })},
	{verdict{name: "http-redirect-code", handling: Exact}, (*configReader).readRedirectCode},
	{verdict{name: "no-tls-redirect-locations", handling: Differs, how: "paths of ACME challenges are never redirected",
		exact: with(challengeLocation)}, (*configReader).readNoRedirect},
	{verdict{name: "hsts", handling: Exact}, func(c *configReader, text string) string { return readBoolInto(&c.hsts.isOn, text) }},
	{verdict{name: "hsts-include-subdomains", handling: Exact},
		func(c *configReader, text string) string { return readBoolInto(&c.hsts.subdomains, text) }},
	{verdict{name: "hsts-preload", handling: Exact},
		func(c *configReader, text string) string { return readBoolInto(&c.hsts.preload, text) }},
	{verdict{name: "hsts-max-age", handling: Differs, how: "the maximum is ten years"}, (*configReader).readMaxAge},

	{verdict{name: "proxy-body-size", handling: Exact}, (*configReader).readBodySize},
	{verdict{name: "proxy-connect-timeout", handling: Exact},
		secondsKey(func(d *NginxDefaults) *time.Duration { return &d.ConnectTimeout })},
	{verdict{name: "proxy-read-timeout", handling: Differs,
		how: "the limit is at most 24 hours, and an idle WebSocket connection stays open"},
		secondsKey(func(d *NginxDefaults) *time.Duration { return &d.ReadTimeout })},
	{verdict{name: "proxy-send-timeout", handling: Differs, how: "it also limits pauses of the client, and is at most 24 hours"},
		secondsKey(func(d *NginxDefaults) *time.Duration { return &d.SendTimeout })},
	{verdict{name: "proxy-next-upstream", handling: Differs, exact: with("off"),
		how: "a connection that is lost is retried once at the same pod, a timeout or an invalid response is not, statuses are " +
			"retried for requests without a body, and sessions stay on their pods"}, (*configReader).readNextUpstream},
	{verdict{name: "proxy-next-upstream-tries", handling: Differs, how: "there are at most 10 attempts",
		exact: exactUpToMaxAttempts}, (*configReader).readTries},
	{verdict{name: "proxy-next-upstream-timeout", handling: Exact}, (*configReader).readRetryTimeout},
	{verdict{name: "load-balance", handling: Differs, exact: with("round_robin"),
		how: "ewma compares the recent peaks of the times to the response head, multiplied by the active requests"},
		(*configReader).readBalance},
	{verdict{name: "limit-req-status-code", handling: Exact}, statusKey(func(d *NginxDefaults) *int { return &d.LimitStatus })},
	{verdict{name: "limit-conn-status-code", handling: Exact},
		statusKey(func(d *NginxDefaults) *int { return &d.LimitConnectionStatus })},
	{verdict{name: "limit-rate", handling: Exact},
		kilobytesKey(func(d *NginxDefaults) *int64 { return &d.ResponseRate.BytesPerSecond })},
	{verdict{name: "limit-rate-after", handling: Exact},
		kilobytesKey(func(d *NginxDefaults) *int64 { return &d.ResponseRate.After })},
	{verdict{name: "custom-http-errors", handling: Differs,
		how: "pages are requested with GET or HEAD, and require --default-backend-service or the annotation default-backend"},
		(*configReader).readErrors},
	{verdict{name: "disable-proxy-intercept-errors", handling: Exact},
		boolKey(func(d *NginxDefaults) *bool { return &d.KeepsPodErrors })},
	{verdict{name: "disable-access-log", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.IsUnlogged })},
	{verdict{name: "disable-http-access-log", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.IsUnlogged })},

	{verdict{name: "add-headers", handling: Differs,
		how: "fields that Limpet sets itself and fields whose value has variables are not set"}, (*configReader).readAddHeaders},
	{verdict{name: "hide-headers", handling: Differs, how: "fields that Limpet sets itself are not hidden"},
		(*configReader).readHideHeaders},
	{verdict{name: "use-gzip", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.Compression.Gzip })},
	{verdict{name: "enable-brotli", handling: Exact}, boolKey(func(d *NginxDefaults) *bool { return &d.Compression.Brotli })},
	{verdict: verdict{name: "gzip-level", handling: Replaced, how: compressionIsFixed}},
	{verdict: verdict{name: "gzip-min-length", handling: Replaced, how: compressionIsFixed}},
	{verdict: verdict{name: "gzip-types", handling: Replaced, how: compressionIsFixed}},
	{verdict: verdict{name: "gzip-disable", handling: Replaced, how: "clients say in Accept-Encoding what they support"}},
	{verdict: verdict{name: "brotli-level", handling: Replaced, how: compressionIsFixed}},
	{verdict: verdict{name: "brotli-min-length", handling: Replaced, how: compressionIsFixed}},
	{verdict: verdict{name: "brotli-types", handling: Replaced, how: compressionIsFixed}},
	// configReader.readRewrites reads these together.
	{verdict: verdict{name: "proxy-cookie-domain", handling: Differs, exact: with("off"),
		how: "regular expressions are refused"}},
	{verdict: verdict{name: "proxy-cookie-path", handling: Differs, exact: with("off"),
		how: "regular expressions are refused"}},
	{verdict: verdict{name: "proxy-redirect-from", handling: Differs, exact: with("off"),
		how: "regular expressions and other variables than $scheme, $host and $http_host are refused"}},
	{verdict: verdict{name: "proxy-redirect-to", handling: Differs, exact: with("off"),
		how: "regular expressions and other variables than $scheme, $host and $http_host are refused"}},
	{verdict: verdict{name: "service-upstream", exact: exactIfFalse, how: "set the annotation"}},
	{verdict: verdict{name: "use-port-in-redirects", exact: exactIfFalse}},
	{verdict: verdict{name: "upstream-hash-by", how: "set the annotation"}},
	{verdict: verdict{name: "app-root", how: "set the annotation"}},
	{verdict: verdict{name: "skip-access-log-urls", how: "set the annotation enable-access-log"}},
}

const compressionIsFixed = "level, types and minimum length are fixed"
