package translate

import "slices"

// processKeys are the keys that configure the process of nginx. Flags of Limpet replace some of them.
var processKeys = replacedKeys(map[string][]string{
	"the flags --max-head-bytes, --max-uri-bytes and --max-fields bound the head of a request": {
		"client-header-buffer-size", "large-client-header-buffers", "http2-max-field-size", "http2-max-header-size",
	},
	"--timeout-head, --timeout-body and --timeout-idle limit how long clients may take": {
		"client-header-timeout", "client-body-timeout", "keep-alive", "http2-max-requests",
	},
	"--max-requests-per-connection sets the maximum": {"keep-alive-requests"},
	"--max-connections sets the maximum":             {"max-worker-connections"},
	"connections to pods are kept and bounded without configuration": {
		"upstream-keepalive-connections", "upstream-keepalive-time", "upstream-keepalive-timeout", "upstream-keepalive-requests",
	},
	"bodies are streamed with bounded buffers": {
		"client-body-buffer-size", "proxy-buffer-size", "proxy-buffering", "proxy-buffers-number", "proxy-busy-buffers-size",
		"proxy-max-temp-file-size", "proxy-request-buffering", "enable-aio-write",
	},
	"--tls-min-version sets the lowest version of TLS, which is at least 1.2": {"ssl-protocols"},
	"Limpet uses only cipher suites and curves without known weaknesses": {
		"ssl-ciphers", "ssl-ecdh-curve", "ssl-dh-param", "ssl-prefer-server-ciphers",
	},
	"replicas share the keys of session tickets, which are rotated": {
		"ssl-session-cache", "ssl-session-cache-size", "ssl-session-tickets", "ssl-session-ticket-key", "ssl-session-timeout",
	},
	"early data is not accepted, because it can be replayed":        {"ssl-early-data"},
	"HTTP/2 is always offered":                                      {"use-http2"},
	"Limpet sends HTTP/1.1, or HTTP/2 as backend-protocol requires": {"proxy-http-version"},
	"Limpet has an access log of its own: --log-format and --access-log configure it": {
		"access-log-params", "access-log-path", "http-access-log-path", "stream-access-log-path", "log-format-escape-json",
		"log-format-escape-none", "log-format-stream", "log-format-upstream", "enable-access-log-for-default-backend",
		"enable-auth-access-log", "disable-stream-access-log",
	},
	"Limpet logs to standard error": {
		"error-log-level", "error-log-path", "enable-syslog", "syslog-host", "syslog-port", "debug-connections",
	},
	"the flags with addresses, such as --http-addr, decide where Limpet listens": {
		"bind-address", "bind-address-ipv4", "bind-address-ipv6", "disable-ipv6", "disable-ipv6-dns", "reuse-port",
		"enable-multi-accept",
	},
	"--server-header and --via name Limpet, and the Server field of the app is kept": {
		"server-tokens", "allow-backend-server-header",
	},
	"the Go runtime and the flags --memory-limit and --stop-timeout decide": {
		"worker-processes", "worker-cpu-affinity", "worker-shutdown-timeout", "max-worker-open-files",
	},
	"there are no hash tables of this kind": {
		"map-hash-bucket-size", "server-name-hash-bucket-size", "server-name-hash-max-size", "proxy-headers-hash-bucket-size",
		"proxy-headers-hash-max-size", "variables-hash-bucket-size", "variables-hash-max-size", "lua-shared-dicts",
		"http2-max-concurrent-streams",
	},
	"the admin listener has a token of its own": {"nginx-status-ipv4-whitelist", "nginx-status-ipv6-whitelist"},
	"limits count clients by their address":     {"limit-conn-zone-variable"},
	"every request has an identifier":           {"generate-request-id"},
	"requests with ambiguous header fields get a 400": {
		"ignore-invalid-headers", "enable-underscores-in-headers",
	},
	"requests that are not idempotent are retried only if no pod has received them": {"retry-non-idempotent"},
	"an Ingress applies its settings for TLS to pods to its own paths only":         {"proxy-ssl-location-only"},
})

// otherKeys have no effect in Limpet.
var otherKeys = slices.Concat(ignoredSwitches, ignoredKeys(
	"default-type", "opentelemetry-config",
	"opentelemetry-operation-name", "opentelemetry-trust-incoming-span", "opentracing-location-operation-name",
	"opentracing-operation-name", "opentracing-trust-incoming-span", "otel-max-export-batch-size", "otel-max-queuesize",
	"otel-sampler", "otel-sampler-parent-based", "otel-sampler-ratio", "otel-schedule-delay-millis", "otel-service-name",
	"otlp-collector-host", "otlp-collector-port", "plugins", "proxy-stream-next-upstream",
	"proxy-stream-next-upstream-timeout", "proxy-stream-next-upstream-tries", "proxy-stream-responses", "proxy-stream-timeout",
	"ssl-buffer-size",
	"global-rate-limit-memcached-connect-timeout", "global-rate-limit-memcached-host",
	"global-rate-limit-memcached-max-idle-timeout",
	"global-rate-limit-memcached-pool-size", "global-rate-limit-memcached-port", "global-rate-limit-status-code",
	"datadog-collector-host", "datadog-collector-port", "datadog-environment", "datadog-operation-name-override",
	"datadog-priority-sampling", "datadog-sample-rate", "datadog-service-name",
	"jaeger-baggage-header", "jaeger-collector-host", "jaeger-collector-port", "jaeger-debug-header", "jaeger-endpoint",
	"jaeger-propagation-format", "jaeger-sampler-host", "jaeger-sampler-param", "jaeger-sampler-port", "jaeger-sampler-type",
	"jaeger-service-name", "jaeger-trace-baggage-header-prefix", "jaeger-trace-context-header-name",
	"zipkin-collector-host", "zipkin-collector-port", "zipkin-sample-rate", "zipkin-service-name",
))

// ignoredSwitches have no effect in Limpet. As false they have none in ingress-nginx either.
var ignoredSwitches = func() []configKey {
	keys := ignoredKeys("enable-ocsp", "enable-opentelemetry", "enable-opentracing", "proxy-add-original-uri-header",
		"ssl-reject-handshake", "use-geoip", "use-geoip2")
	for i := range keys {
		keys[i].exact = exactIfFalse
	}
	return keys
}()

// replacedKeys returns the keys that are Replaced, which are listed by what replaces them.
func replacedKeys(by map[string][]string) (out []configKey) {
	for how, names := range by {
		for _, name := range names {
			out = append(out, configKey{verdict: verdict{name: name, handling: Replaced, how: how}})
		}
	}
	return out
}

func ignoredKeys(names ...string) (out []configKey) {
	for _, name := range names {
		out = append(out, configKey{verdict: verdict{name: name}})
	}
	return out
}
