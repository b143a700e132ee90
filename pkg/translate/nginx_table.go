package translate

// nginxVerdicts lists all annotations of ingress-nginx: those of version 1.15, which was the last, their older aliases, and
// those of earlier versions that manifests still use. A version that implements one sets its handling.
//
// Rate limits are not protective: they protect a server from load, but do not restrict who may access it. Firewall rules
// (ModSecurity) are protective, because they reject requests that would otherwise reach the pods, and may contain lists of
// addresses. Redirects, body sizes and TLS parameters are not protective.
var nginxVerdicts = []verdict{
	// Authentication by a subrequest.
	{name: "auth-url", effect: whenSet, when: "if set"},
	{name: "auth-method", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-signin", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-signin-redirect-param", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-request-redirect", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-response-headers", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-proxy-set-headers", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-always-set-cookie", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-cache-key", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-cache-duration", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-requests", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-share-vars", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-keepalive-timeout", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "auth-snippet", effect: partOf("auth-url"), when: "if auth-url is missing"},
	{name: "enable-global-auth", effect: unlessFalse, when: "unless false"},

	// Basic and digest authentication.
	{name: "auth-type", effect: whenSet, when: "if set"},
	{name: "auth-secret", effect: whenSet, when: "if set"},
	{name: "auth-secret-type", effect: partOf("auth-type", "auth-secret"), when: "if auth-type and auth-secret are missing"},
	{name: "auth-realm", effect: partOf("auth-type", "auth-secret"), when: "if auth-type and auth-secret are missing"},

	// Client certificates: one handshake serves a host, so they apply to all of its paths.
	{name: "auth-tls-secret", effect: unlessVerifyOff, isHostWide: true, when: "unless auth-tls-verify-client is off"},
	{name: "auth-tls-verify-client", effect: unless("off"), isHostWide: true, when: "unless off"},
	{name: "auth-tls-match-cn", effect: unlessVerifyOff, isHostWide: true, when: "unless auth-tls-verify-client is off"},
	{name: "auth-tls-verify-depth", effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},
	{name: "auth-tls-error-page", effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},
	{name: "auth-tls-pass-certificate-to-upstream", effect: partOf(tlsParts...), isHostWide: true, when: tlsPartsMissing},

	// Lists of clients.
	{name: "allowlist-source-range", effect: unlessAdmitsAll, when: "unless it has 0.0.0.0/0 and ::/0"},
	{name: "whitelist-source-range", effect: unlessAdmitsAll, when: "unless it has 0.0.0.0/0 and ::/0"},
	{name: "denylist-source-range", effect: always, when: "always"},
	{name: "satisfy", effect: unless("all", "ALL", "All"), when: "unless all"},

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
	{name: "upstream-vhost"},

	// Rate limits.
	{name: "limit-allowlist"},
	{name: "limit-whitelist"},
	{name: "limit-burst-multiplier"},
	{name: "limit-connections"},
	{name: "limit-rate"},
	{name: "limit-rate-after"},
	{name: "limit-rpm"},
	{name: "limit-rps"},
	{name: "global-rate-limit"},
	{name: "global-rate-limit-ignored-cidrs"},
	{name: "global-rate-limit-key"},
	{name: "global-rate-limit-window"},

	// Redirects, rewriting and hosts.
	{name: "add-base-url"},
	{name: "app-root"},
	{name: "base-url-scheme"},
	{name: "force-ssl-redirect"},
	{name: "from-to-www-redirect"},
	{name: "permanent-redirect"},
	{name: "permanent-redirect-code"},
	{name: "preserve-trailing-slash"},
	{name: "relative-redirects"},
	{name: "rewrite-target"},
	{name: "server-alias"},
	{name: "ssl-passthrough"},
	{name: "ssl-redirect"},
	{name: "temporal-redirect"},
	{name: "temporal-redirect-code"},
	{name: "use-port-in-redirects"},
	{name: "use-regex"},
	{name: "x-forwarded-prefix"},

	// Headers, errors and CORS, which browsers enforce.
	{name: "connection-proxy-header"},
	{name: "cors-allow-credentials"},
	{name: "cors-allow-headers"},
	{name: "cors-allow-methods"},
	{name: "cors-allow-origin"},
	{name: "cors-expose-headers"},
	{name: "cors-max-age"},
	{name: "custom-headers"},
	{name: "custom-http-errors"},
	{name: "default-backend"},
	{name: "disable-proxy-intercept-errors"},
	{name: "enable-cors"},

	// Buffers, timeouts and retries.
	{name: "client-body-buffer-size"},
	{name: "proxy-body-size", handling: Exact, own: "max-body-bytes"},
	{name: "proxy-buffer-size"},
	{name: "proxy-buffering"},
	{name: "proxy-buffers-number"},
	{name: "proxy-busy-buffers-size"},
	{name: "proxy-connect-timeout", handling: Exact, own: "timeout-connect"},
	{name: "proxy-cookie-domain"},
	{name: "proxy-cookie-path"},
	{name: "proxy-http-version"},
	{name: "proxy-max-temp-file-size"},
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
	{name: "proxy-redirect-from"},
	{name: "proxy-redirect-to"},
	{name: "proxy-request-buffering"},
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
	{name: "mirror-host"},
	{name: "mirror-request-body"},
	{name: "mirror-target"},
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
