package translate

// nginxSettings are the annotations that do not restrict access.
var nginxSettings = []verdict{
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
		how: "new sessions go to the pod with the fewest sessions, a terminating pod keeps its sessions, a session leaves a pod " +
			"that cannot be reached unless session-cookie-change-on-failure is false, and the cookie applies to the routes of " +
			"this Ingress only",
	},
	{
		name: "affinity-mode", handling: Differs, exact: with("persistent"),
		how: "sessions do not move when pods are added",
	},
	{
		name: "load-balance", handling: Differs, own: "load-balance", exact: with("round_robin"),
		how: "ewma compares the recent peaks of the times to the response head, multiplied by the active requests",
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
	{
		name: "service-upstream", handling: Differs, own: nameServiceUpstream, exact: with("false"),
		how: "it applies to the routes of this Ingress only, not to all routes of the Service",
	},
	{
		name: "upstream-hash-by", handling: Differs,
		how: "a value belongs to another pod than in ingress-nginx, and requests without any of the values are spread " +
			"over all pods",
	},
	{
		name: "upstream-hash-by-subset", handling: Differs, exact: with("false"),
		how: "a value has one pod, and others serve it while that pod is busy",
	},
	{
		name: "upstream-hash-by-subset-size", handling: Replaced,
		how: "the number of active requests decides how many pods serve a value",
	},
	{name: "upstream-max-fails"},
	{name: "upstream-fail-timeout"},
	{
		name: "upstream-vhost", handling: Differs, own: "upstream-host",
		exact: onlyVariables("$http_host", "$host", "$service_name", "$namespace", "$service_port"), how: "other variables are refused",
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
	{name: "add-base-url", exact: exactIfFalse},
	{name: "app-root", handling: Exact, own: "app-root"},
	{name: "base-url-scheme"},
	{name: "force-ssl-redirect", handling: Exact, own: "https-redirect"},
	{name: "from-to-www-redirect", handling: Exact, own: "www-redirect"},
	{
		name: "permanent-redirect", handling: Differs, own: "redirect",
		exact: onlyVariables("$scheme", "$host", "$http_host", "$request_uri"),
		how:   "the values of other variables are percent-encoded, and some are refused",
	},
	{name: "permanent-redirect-code", handling: Exact, own: "redirect-code"},
	{name: "preserve-trailing-slash", handling: Exact, own: "https-redirect"},
	{name: "relative-redirects", handling: Exact, own: "relative-redirects"},
	{
		name: "rewrite-target", handling: Differs, exact: exactIfFixedPath,
		how: "paths are expressions in the syntax of RE2, and a rewritten path with dot segments gets a 400",
		own: "rewrite-target",
	},
	{
		name: "server-alias", handling: Differs, own: "host-aliases", exact: exactIfHosts,
		how: "aliases are hosts, not regular expressions",
	},
	{
		name: "ssl-passthrough", handling: Differs,
		how: "it requires --enable-ssl-passthrough, the connections go to ready pods instead of the cluster IP, affinity is by " +
			"client address, and a host to which any annotation restricts access is not passed through",
		own: "tls-passthrough", exact: exactIfFalse,
	},
	{name: "ssl-redirect", handling: Exact, own: "https-redirect"},
	{
		name: "temporal-redirect", handling: Differs, own: "redirect",
		exact: onlyVariables("$scheme", "$host", "$http_host", "$request_uri"),
		how:   "the values of other variables are percent-encoded, and some are refused",
	},
	{name: "temporal-redirect-code", handling: Exact, own: "redirect-code"},
	{name: "use-port-in-redirects", exact: exactIfFalse},
	{
		name: "use-regex", handling: Differs, own: "path-regex", exact: exactIfPathsPortable,
		how: "paths are expressions in the syntax of RE2",
	},
	{
		name: "x-forwarded-prefix", handling: Differs, exact: exactIfRewritten,
		how: "it is also sent without rewrite-target, and cannot contain groups",
		own: "forwarded-prefix",
	},

	// Headers, errors and CORS, which browsers enforce.
	{name: "connection-proxy-header", handling: Replaced,
		how: "Limpet keeps connections to pods alive and forwards upgrades"},
	{name: "cors-allow-credentials", handling: Exact, own: "cors-allow-credentials"},
	{name: "cors-allow-headers", handling: Exact, own: "cors-allow-headers"},
	{name: "cors-allow-methods", handling: Exact, own: "cors-allow-methods"},
	{name: "cors-allow-origin", handling: Differs, own: "cors-allow-origin", exact: with("*"),
		how: "responses also have Vary: Origin, so that caches keep origins apart"},
	{name: "cors-expose-headers", handling: Exact, own: "cors-expose-headers"},
	{name: "cors-max-age", handling: Exact, own: "cors-max-age"},
	{name: "custom-headers", handling: Differs, own: "response-headers",
		how: "without global-allowed-response-headers all fields are allowed, and a missing ConfigMap or an " +
			"invalid field does not " +
			"close the routes"},
	{name: "custom-http-errors", handling: Differs, own: "error-pages",
		how: "pages are requested with GET or HEAD, and require default-backend or --default-backend-service"},
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
	{name: "proxy-cookie-domain", handling: Differs, own: "cookie-domain", exact: exactReplacement, how: howReplaced},
	{name: "proxy-cookie-path", handling: Differs, own: "cookie-path", exact: exactReplacement, how: howReplaced},
	{name: "proxy-http-version", handling: Replaced, how: "Limpet sends HTTP/1.1, or HTTP/2 as backend-protocol requires"},
	{name: "proxy-max-temp-file-size", handling: Replaced, how: "responses are never stored on disk"},
	{
		name: "proxy-next-upstream", handling: Differs, own: "retry-on", exact: with("off"),
		how: "a connection that is lost is retried once at the same pod, a timeout or an invalid response is not, statuses are " +
			"retried for requests without a body, and sessions stay on their pods",
	},
	{name: "proxy-next-upstream-timeout", handling: Exact},
	{
		name:     "proxy-next-upstream-tries",
		handling: Differs, own: "max-attempts", exact: exactUpToMaxAttempts,
		how: "there are at most 10 attempts",
	},
	{
		name: "proxy-read-timeout", handling: Differs, own: "timeout-response",
		how: "the limit is at most 24 hours, and an idle WebSocket connection stays open",
	},
	{name: "proxy-redirect-from", handling: Differs, own: "redirect-from", exact: exactReplacement, how: howReplaced},
	{name: "proxy-redirect-to", handling: Differs, own: "redirect-to", exact: exactReplacement, how: howReplaced},
	{name: "proxy-request-buffering", handling: Replaced,
		how: "request bodies are streamed to the pod as they arrive, and are never stored on disk"},
	{
		name: "proxy-send-timeout", handling: Differs, own: "timeout-body",
		how: "it also limits pauses of the client, and is at most 24 hours",
	},

	// The rest.
	{name: "enable-access-log", handling: Exact, own: "access-log"},
	{name: "enable-influxdb", exact: exactIfFalse},
	{name: "enable-opentelemetry", exact: exactIfFalse},
	{name: "enable-opentracing", exact: exactIfFalse},
	{name: "enable-rewrite-log", exact: exactIfFalse},
	{name: "fastcgi-index"},
	{name: "fastcgi-params-configmap"},
	{name: "http2-push-preload", exact: exactIfFalse},
	{name: "influxdb-host"},
	{name: "influxdb-measurement"},
	{name: "influxdb-port"},
	{name: "influxdb-server-name"},
	{name: "mirror-host", handling: Exact, own: "mirror-host"},
	{name: "mirror-request-body", handling: Exact, own: "mirror-request-body"},
	{name: "mirror-target", handling: Differs,
		how: "copies never slow down clients: those beyond the bounds are dropped; Services must be in the namespace " +
			"of the Ingress, and other names in --external-names", own: "mirror-target"},
	{name: "opentelemetry-operation-name"},
	{name: "opentelemetry-trust-incoming-span", exact: exactIfFalse},
	{name: "opentracing-trust-incoming-span", exact: exactIfFalse},
	{name: "ssl-ciphers"},
	{name: "ssl-prefer-server-ciphers", exact: exactIfFalse},
}

// howReplaced describes the differences of annotations that replace text in responses.
const howReplaced = "expressions have the syntax of RE2, and other variables are refused"
