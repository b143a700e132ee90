package translate

import "slices"

// nginxVerdicts lists all annotations of ingress-nginx: those of version 1.15, which was the last, their older aliases, and
// those of earlier versions that manifests still use. A version that implements one sets its handling.
//
// Rate limits are not protective: they protect a server from load, but do not restrict who may access it. Firewall rules
// (ModSecurity) are protective, because they reject requests that would otherwise reach the pods, and may contain lists of
// addresses. Redirects, body sizes and TLS parameters are not protective.
var nginxVerdicts = slices.Concat(nginxAccess, nginxSettings)

// nginxAccess are the annotations that restrict access, or configure nginx or TLS to pods.
var nginxAccess = []verdict{
	// Authentication by a subrequest.
	{name: "auth-url", handling: Differs,
		how: "certificates of the service are verified, a service without endpoints gets 503, and the service sees the " +
			"normalized path; with the host of the request, the rules must name hosts",
		own: "auth-url", effect: whenSet, when: "if set"},
	{name: "auth-method", handling: Exact, own: "auth-method", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-signin", handling: Exact, own: "auth-signin", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-signin-redirect-param", handling: Exact, own: "auth-signin-redirect-param", effect: partOf("auth-url"),
		when: "if auth-url is missing"},
	{name: "auth-request-redirect", handling: Exact, own: "auth-request-redirect", effect: partOf("auth-url"),
		when: "if auth-url is missing"},
	{name: "auth-response-headers", handling: Exact, own: "auth-response-headers", effect: partOf("auth-url"),
		when: "if auth-url is missing"},
	{name: "auth-proxy-set-headers", handling: Exact, own: "auth-request-headers", effect: partOf("auth-url"),
		when: "if auth-url is missing"},
	{name: "auth-always-set-cookie", handling: Exact, own: "auth-always-set-cookie", effect: partOf("auth-url"),
		when: "if auth-url is missing"},
	{name: "auth-cache-key", handling: Differs,
		exact: exactIfKeyIsSet, how: "nothing is cached for requests for which all variables of the key are empty",
		own: "auth-cache-key", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-cache-duration", handling: Differs,
		how: "max-age of the service shortens the times, and does not extend them",
		own: "auth-cache-duration", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-requests", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-share-vars", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-timeout", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-snippet", effect: whenSet, when: "if set"},
	{name: "enable-global-auth", handling: Differs, how: "without --nginx-configmap, values other than false close the routes",
		exact: with("false"), effect: unlessFalse, when: "unless false"},

	// Basic and digest authentication.
	{name: "auth-type", handling: Exact, own: nameAuthType, effect: whenSet, when: "if set"},
	{name: "auth-secret", handling: Exact, own: nameAuthSecret, effect: whenSet, when: "if set"},
	{name: "auth-secret-type", handling: Exact, own: nameAuthSecretType, effect: partOf("auth-type", "auth-secret"),
		when: "if auth-type and auth-secret are missing"},
	{name: "auth-realm", handling: Differs, exact: exactIfPlain, how: "quotes and backslashes are escaped, as RFC 9110 requires",
		own: nameAuthRealm, effect: partOf("auth-type", "auth-secret"),
		when: "if auth-type and auth-secret are missing"},

	// Client certificates: one handshake serves a host, so they apply to all of its paths.
	{name: "auth-tls-secret", handling: Differs,
		how: "the Secret must not have a ca.crl, and hosts that require certificates serve no cleartext",
		own: "client-ca", effect: unlessVerifyOff, isHostWide: true, when: "unless auth-tls-verify-client is off"},
	{name: "auth-tls-verify-client", handling: Exact, own: "client-certificate", effect: unless("off"), isHostWide: true,
		when: "unless off"},
	{name: "auth-tls-match-cn", handling: Differs,
		exact: exactIfPortable, how: "the regular expression has the syntax of RE2",
		effect: unlessVerifyOff, isHostWide: true, when: "unless auth-tls-verify-client is off"},
	{name: "auth-tls-verify-depth", handling: Exact, effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},
	{name: "auth-tls-error-page", handling: Differs,
		exact: exactIfURL, how: "only a URL with a host is supported",
		effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},
	{name: "auth-tls-pass-certificate-to-upstream", handling: Exact, own: "client-certificate-header",
		effect: partOf(tlsParts...), isHostWide: true,
		when: tlsPartsMissing},

	// Lists of clients.
	{name: "allowlist-source-range", handling: Exact, own: nameAllowSourceRange, effect: unlessAdmitsAll,
		when: "unless it has 0.0.0.0/0 and ::/0"},
	{name: "whitelist-source-range", handling: Exact, own: nameAllowSourceRange, effect: unlessAdmitsAll,
		when: "unless it has 0.0.0.0/0 and ::/0"},
	{name: "denylist-source-range", handling: Exact, own: nameDenySourceRange, effect: always, when: "always"},
	{name: "satisfy", handling: Exact, own: nameSatisfy, effect: unless("all", "ALL", "All"), when: "unless all"},

	// Firewall.
	{name: "enable-modsecurity", effect: unlessFalse, when: "unless false"},
	{name: "enable-owasp-core-rules", effect: unlessFalse, when: "unless false"},
	{name: "modsecurity-snippet", effect: whenSet, when: "if set"},
	{name: "modsecurity-transaction-id"},
	{name: "lua-resty-waf", effect: unless("inactive"), when: "unless inactive"},
	{name: "lua-resty-waf-debug"},
	{name: "lua-resty-waf-ignore-rulesets"},
	{name: "lua-resty-waf-extra-rules", effect: whenSet, when: "if set"},
	{name: "lua-resty-waf-allow-unknown-content-types"},
	{name: "lua-resty-waf-score-threshold"},
	{name: "lua-resty-waf-process-multipart-body"},

	// Configuration of nginx.
	{name: "configuration-snippet", effect: snippetEffect, when: whenUnrecognized},
	{name: "server-snippet", effect: snippetEffect, isHostWide: true, when: whenUnrecognized},
	{name: "stream-snippet", effect: snippetEffect, when: whenUnrecognized},

	// TLS to pods.
	{
		name: "proxy-ssl-verify", effect: unless("off"), when: "unless off", handling: Differs, own: "backend-ca",
		exact: exactIfCA,
		how: "without proxy-ssl-name, the name is <service>.<namespace>.svc; without a CA, and with other values than on and off, " +
			"the routes respond 503",
	},
	{name: "proxy-ssl-secret", handling: Exact, own: "backend-ca"},
	{name: "proxy-ssl-verify-depth", handling: Exact},
	{name: "proxy-ssl-name", handling: Exact, own: "backend-server-name"},
	{
		name: "proxy-ssl-server-name", handling: Differs, exact: with("on"),
		how: "the name is sent in any case",
	},
	{name: "proxy-ssl-ciphers", handling: Replaced, how: "Limpet uses only cipher suites without known weaknesses"},
	{
		name: "proxy-ssl-protocols", handling: Differs, exact: exactIfModern,
		how: "it sets the lowest version, which is at least TLS 1.2",
	},
	{name: "secure-backends", own: "backend-protocol", exact: exactIfFalse,
		how: "ingress-nginx removed it in version 0.21; set backend-protocol: HTTPS"},
	{name: "secure-verify-ca-secret", effect: whenSet, when: "if set", own: "backend-ca"},
	{name: "grpc-backend", own: "backend-protocol", exact: exactIfFalse,
		how: "ingress-nginx removed it in version 0.21; set backend-protocol: GRPC"},
}

// tlsParts are the annotations that enable client certificates.
var tlsParts = []string{"auth-tls-secret", "auth-tls-verify-client", "auth-tls-match-cn"}

const (
	tlsPartsMissing  = "if auth-tls-secret, -verify-client and -match-cn are missing"
	whenUnrecognized = "unless all directives are recognized as harmless"
)
