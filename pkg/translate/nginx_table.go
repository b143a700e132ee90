package translate

// nginxVerdicts lists all annotations of ingress-nginx: those of version 1.15, which was the last, their older aliases, and
// those of earlier versions that manifests still use. A version that implements one sets its handling.
//
// Rate limits are not protective: they protect a server from load, but do not restrict who may access it. Firewall rules
// (ModSecurity) are protective, because they reject requests that would otherwise reach the pods, and may contain lists of
// addresses. Redirects, body sizes and TLS parameters are not protective.
var nginxVerdicts = []verdict{
	// Authentication by a subrequest.
	{name: "auth-url", handling: Differs,
		how: "certificates of the service are verified, a service without endpoints gets 503, and the service sees the normalized path; with the host of the request, the rules must name hosts", own: "auth-url", effect: whenSet, when: "if set"},
	{name: "auth-method", handling: Exact, own: "auth-method", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-signin", handling: Exact, own: "auth-signin", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-signin-redirect-param", handling: Exact, own: "auth-signin-redirect-param", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-request-redirect", handling: Exact, own: "auth-request-redirect", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-response-headers", handling: Exact, own: "auth-response-headers", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-proxy-set-headers", handling: Exact, own: "auth-request-headers", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-always-set-cookie", handling: Exact, own: "auth-always-set-cookie", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-cache-key", handling: Differs,
		how: "nothing is cached for requests with an empty key", own: "auth-cache-key", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-cache-duration", handling: Differs,
		how: "max-age of the service shortens the times, and does not extend them", own: "auth-cache-duration", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-requests", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-share-vars", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-timeout", handling: Replaced,
		how: "connections to the service are always kept", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-snippet", effect: whenSet, when: "if set"},
	{name: "enable-global-auth", effect: unlessFalse, when: "unless false"},

	// Basic and digest authentication.
	{name: "auth-type", handling: Exact, own: nameAuthType, effect: whenSet, when: "if set"},
	{name: "auth-secret", handling: Exact, own: nameAuthSecret, effect: whenSet, when: "if set"},
	{name: "auth-secret-type", handling: Exact, own: nameAuthSecretType, effect: partOf("auth-type", "auth-secret"), when: "if auth-type and auth-secret are missing"},
	{name: "auth-realm", handling: Exact, own: nameAuthRealm, effect: partOf("auth-type", "auth-secret"), when: "if auth-type and auth-secret are missing"},

	// Client certificates: one handshake serves a host, so they apply to all of its paths.
	{name: "auth-tls-secret", handling: Differs,
		how: "the Secret must not have a ca.crl, and hosts that require certificates serve no cleartext",
		own: "client-ca", effect: unlessVerifyOff, isHostWide: true, when: "unless auth-tls-verify-client is off"},
	{name: "auth-tls-verify-client", handling: Exact, own: "client-certificate", effect: unless("off"), isHostWide: true, when: "unless off"},
	{name: "auth-tls-match-cn", handling: Differs,
		how:    "the regular expression has the syntax of RE2",
		effect: unlessVerifyOff, isHostWide: true, when: "unless auth-tls-verify-client is off"},
	{name: "auth-tls-verify-depth", handling: Exact, effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},
	{name: "auth-tls-error-page", handling: Differs,
		how:    "only a URL with a host is supported",
		effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},
	{name: "auth-tls-pass-certificate-to-upstream", handling: Exact, own: "client-certificate-header", effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},

	// Lists of clients.
	{name: "allowlist-source-range", handling: Exact, own: nameAllowSourceRange, effect: unlessAdmitsAll, when: "unless it has 0.0.0.0/0 and ::/0"},
	{name: "whitelist-source-range", handling: Exact, own: nameAllowSourceRange, effect: unlessAdmitsAll, when: "unless it has 0.0.0.0/0 and ::/0"},
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
		exact: []string{"off"},
		how:   "without a CA, and with other values than on and off, the routes respond 503",
	},
	{name: "proxy-ssl-secret", handling: Exact, own: "backend-ca"},
	{name: "proxy-ssl-verify-depth", handling: Exact},
	{
		name: "proxy-ssl-name", handling: Differs, own: "backend-server-name",
		how: "without it, the name is <service>.<namespace>.svc",
	},
	{
		name: "proxy-ssl-server-name", handling: Differs, exact: []string{"on"},
		how: "the name is sent in any case",
	},
	{name: "proxy-ssl-ciphers", handling: Replaced, how: "Limpet uses only cipher suites without known weaknesses"},
	{
		name: "proxy-ssl-protocols", handling: Differs,
		how: "it sets the lowest version, which is at least TLS 1.2",
	},
	{name: "secure-backends", own: "backend-protocol", how: "ingress-nginx removed it in version 0.21; set backend-protocol: HTTPS"},
	{name: "secure-verify-ca-secret", effect: whenSet, when: "if set", own: "backend-ca"},
	{name: "grpc-backend", own: "backend-protocol", how: "ingress-nginx removed it in version 0.21; set backend-protocol: GRPC"},

	// Canaries and protocols, which this version implements.
	{name: "canary", handling: Exact},
	{name: "canary-by-cookie", handling: Exact},
	{name: "canary-by-header", handling: Exact},
	{name: "canary-by-header-pattern", handling: Exact},
	{name: "canary-by-header-value", handling: Exact},
	{name: "canary-weight", handling: Exact},
	{name: "canary-weight-total", handling: Exact},
	{name: "affinity-canary-behavior", handling: Exact},
	{name: "backend-protocol", handling: Exact},

	// Affinity and load balancing.
	{
		name: "affinity", handling: Differs, own: "affinity",
		how: "new sessions go to the pod with the fewest sessions, a terminating pod keeps its sessions, and the cookie " +
			"applies to the routes of this Ingress only",
	},
	{
		name: "affinity-mode", handling: Differs, exact: []string{"persistent"},
		how: "sessions do not move when pods are added",
	},
	{
		name: "load-balance", handling: Differs, own: "load-balance", exact: []string{"round_robin"},
		how: "ewma chooses the less busy of two random pods, not the faster one",
	},
	{name: "session-cookie-change-on-failure", handling: Exact},
	{name: "session-cookie-conditional-samesite-none", handling: Exact},
	{name: "session-cookie-domain", handling: Exact},
	{name: "session-cookie-expires", handling: Exact},
	{
		name: "session-cookie-hash", handling: Replaced,
		how: "the cookie is an encrypted token",
	},
	{name: "session-cookie-max-age", handling: Exact},
	{name: "session-cookie-name", handling: Exact, own: "affinity-cookie"},
	{name: "session-cookie-partitioned", handling: Exact},
	{name: "session-cookie-path", handling: Exact},
	{name: "session-cookie-samesite", handling: Exact},
	{name: "session-cookie-secure", handling: Exact},
	{name: "service-upstream"},
	{
		name: "upstream-hash-by", handling: Differs,
		how: "a value belongs to another pod than in ingress-nginx, and requests without any of the values are spread over all pods",
	},
	{
		name: "upstream-hash-by-subset", handling: Differs, exact: []string{"false"},
		how: "a value has one pod, and others serve it while that pod is busy",
	},
	{
		name: "upstream-hash-by-subset-size", handling: Replaced,
		how: "the number of active requests decides how many pods serve a value",
	},
	{name: "upstream-max-fails"},
	{name: "upstream-fail-timeout"},
	{
		name: "upstream-vhost", handling: Differs,
		how: "of the variables of nginx, only $host, $service_name, $service_port and $namespace are replaced",
		own: "upstream-host",
	},

	// Rate limits.
	{name: "limit-allowlist", handling: Exact, own: "limit-allowlist"},
	{name: "limit-whitelist", handling: Exact, own: "limit-allowlist"},
	{name: "limit-burst-multiplier", handling: Exact, own: "limit-burst-multiplier"},
	{name: "limit-connections", handling: Exact, own: "limit-connections"},
	{name: "limit-rate", handling: Exact, own: "limit-rate"},
	{name: "limit-rate-after", handling: Exact, own: "limit-rate-after"},
	{name: "limit-rpm", handling: Exact, own: "limit-rpm"},
	{name: "limit-rps", handling: Exact, own: "limit-rps"},
	{name: "global-rate-limit"},
	{name: "global-rate-limit-ignored-cidrs"},
	{name: "global-rate-limit-key"},
	{name: "global-rate-limit-window"},

	// Redirects, rewriting and hosts.
	{name: "add-base-url"},
	{name: "app-root", handling: Exact, own: "app-root"},
	{name: "base-url-scheme"},
	{name: "force-ssl-redirect", handling: Exact, own: "https-redirect"},
	{name: "from-to-www-redirect", handling: Exact, own: "www-redirect"},
	{
		name: "permanent-redirect", handling: Differs,
		how: "of the variables of nginx, only $scheme, $host, $http_host and $request_uri are replaced",
		own: "redirect",
	},
	{name: "permanent-redirect-code", handling: Exact, own: "redirect-code"},
	{name: "preserve-trailing-slash", handling: Exact, own: "https-redirect"},
	{name: "relative-redirects", handling: Exact, own: "relative-redirects"},
	{
		name: "rewrite-target", handling: Differs,
		how: "paths are expressions in the syntax of RE2, and a rewritten path with dot segments gets a 400",
		own: "rewrite-target",
	},
	{name: "server-alias", handling: Differs, how: "aliases are hosts, not regular expressions", own: "host-aliases"},
	{name: "ssl-passthrough"},
	{name: "ssl-redirect", handling: Exact, own: "https-redirect"},
	{
		name: "temporal-redirect", handling: Differs,
		how: "of the variables of nginx, only $scheme, $host, $http_host and $request_uri are replaced",
		own: "redirect",
	},
	{name: "temporal-redirect-code", handling: Exact, own: "redirect-code"},
	{name: "use-port-in-redirects"},
	{
		name: "use-regex", handling: Differs,
		how: "paths are expressions in the syntax of RE2, and those of other namespaces stay as they are",
		own: "path-regex",
	},
	{
		name: "x-forwarded-prefix", handling: Differs,
		how: "it is also sent without rewrite-target, and cannot contain groups",
		own: "forwarded-prefix",
	},

	// Headers, errors and CORS, which browsers enforce.
	{name: "connection-proxy-header", handling: Replaced,
		how: "Limpet keeps connections to pods alive and forwards upgrades"},
	{name: "cors-allow-credentials", handling: Exact, own: "cors-allow-credentials"},
	{name: "cors-allow-headers", handling: Exact, own: "cors-allow-headers"},
	{name: "cors-allow-methods", handling: Exact, own: "cors-allow-methods"},
	{name: "cors-allow-origin", handling: Differs, own: "cors-allow-origin",
		how: "responses also have Vary: Origin, so that caches keep origins apart"},
	{name: "cors-expose-headers", handling: Exact, own: "cors-expose-headers"},
	{name: "cors-max-age", handling: Exact, own: "cors-max-age"},
	{name: "custom-headers", handling: Differs, own: "response-headers",
		how: "without global-allowed-response-headers all fields are allowed, and a missing ConfigMap or an invalid field does not " +
			"close the routes"},
	{name: "custom-http-errors", handling: Differs,
		how: "pages are requested with GET or HEAD, and default-backend is required", own: "error-pages"},
	{name: "default-backend", handling: Exact, own: "default-backend"},
	{name: "disable-proxy-intercept-errors", handling: Exact},
	{name: "enable-cors", handling: Exact, own: "cors"},

	// Buffers, timeouts and retries.
	{name: "client-body-buffer-size", handling: Replaced,
		how: "request bodies are streamed, so that their size needs no buffer"},
	{name: "proxy-body-size", handling: Exact, own: "max-body-bytes"},
	{name: "proxy-buffer-size", handling: Replaced, how: "the heads of responses may have up to the size of --max-head-bytes"},
	{name: "proxy-buffering", handling: Replaced,
		how: "responses are streamed with bounded buffers, and a slow client slows its pod down"},
	{name: "proxy-buffers-number", handling: Replaced, how: "buffers are taken from a pool while bytes are in transit"},
	{name: "proxy-busy-buffers-size", handling: Replaced, how: "buffers are taken from a pool while bytes are in transit"},
	{name: "proxy-connect-timeout", handling: Exact, own: "timeout-connect"},
	{name: "proxy-cookie-domain", handling: Differs, own: "cookie-domain", how: "regular expressions are refused"},
	{name: "proxy-cookie-path", handling: Differs, own: "cookie-path", how: "regular expressions are refused"},
	{name: "proxy-http-version", handling: Replaced, how: "Limpet sends HTTP/1.1, or HTTP/2 as backend-protocol requires"},
	{name: "proxy-max-temp-file-size", handling: Replaced, how: "responses are never stored on disk"},
	{
		name: "proxy-next-upstream", handling: Differs, exact: []string{"off"},
		how: "failed connections are retried, and responses with an error status are not",
	},
	{name: "proxy-next-upstream-timeout", handling: Exact},
	{
		name: "proxy-next-upstream-tries", handling: Differs, own: "max-attempts", exact: []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"},
		how: "there are at most 10 attempts",
	},
	{
		name: "proxy-read-timeout", handling: Differs, own: "timeout-response",
		how: "the limit is at most 24 hours, and an idle WebSocket connection stays open",
	},
	{name: "proxy-redirect-from", handling: Differs, own: "redirect-from",
		how: "regular expressions and other variables than $scheme, $host and $http_host are refused"},
	{name: "proxy-redirect-to", handling: Differs, own: "redirect-to",
		how: "regular expressions and other variables than $scheme, $host and $http_host are refused"},
	{name: "proxy-request-buffering", handling: Replaced,
		how: "request bodies are streamed to the pod as they arrive, and are never stored on disk"},
	{
		name: "proxy-send-timeout", handling: Differs, own: "timeout-body",
		how: "it also limits pauses of the client, and is at most 24 hours",
	},

	// The rest.
	{name: "enable-access-log", handling: Exact, own: "access-log"},
	{name: "enable-influxdb"},
	{name: "enable-opentelemetry"},
	{name: "enable-opentracing"},
	{name: "enable-rewrite-log"},
	{name: "fastcgi-index"},
	{name: "fastcgi-params-configmap"},
	{name: "http2-push-preload"},
	{name: "influxdb-host"},
	{name: "influxdb-measurement"},
	{name: "influxdb-port"},
	{name: "influxdb-server-name"},
	{name: "mirror-host", handling: Exact, own: "mirror-host"},
	{name: "mirror-request-body", handling: Exact, own: "mirror-request-body"},
	{name: "mirror-target", handling: Differs,
		how: "copies never slow down clients: those beyond the bounds are dropped; Services must be in the namespace of the Ingress, and other names in --external-names", own: "mirror-target"},
	{name: "opentelemetry-operation-name"},
	{name: "opentelemetry-trust-incoming-span"},
	{name: "opentracing-trust-incoming-span"},
	{name: "ssl-ciphers"},
	{name: "ssl-prefer-server-ciphers"},
}

// tlsParts are the annotations that enable client certificates.
var tlsParts = []string{"auth-tls-secret", "auth-tls-verify-client", "auth-tls-match-cn"}

const (
	tlsPartsMissing  = "if auth-tls-secret, -verify-client and -match-cn are missing"
	whenUnrecognized = "unless all directives are recognized as harmless"
)
