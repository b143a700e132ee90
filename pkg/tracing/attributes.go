package tracing

import (
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
)

// otherMethod is the method of requests with a method that is not well-known, which clients may choose.
const otherMethod = "_OTHER"

func knownMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY":
		return method
	}
	return otherMethod
}

// spanName returns the name by the semantic conventions: it has few different values.
func spanName(method, route string) string {
	if method == otherMethod {
		method = "HTTP"
	}
	if route == "" {
		return method
	}
	return method + " " + valid(route)
}

// valid returns a text that is valid UTF-8. With another one, a whole batch of spans could not be encoded.
func valid[T string | []byte](text T) string { return strings.ToValidUTF8(string(text), "\uFFFD") }

func (r *Request) attributes(method string) []attribute.KeyValue {
	all := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme(r.Scheme), semconv.URLPath(valid(r.Path)),
		semconv.ClientAddress(r.Client), semconv.ServerAddress(valid(r.Host)), semconv.ServerPort(r.Port),
		semconv.NetworkProtocolVersion(version(r.Protocol)),
	}
	if method == otherMethod {
		all = append(all, semconv.HTTPRequestMethodOriginal(valid(r.Method)))
	}
	if r.Status > 0 {
		all = append(all, semconv.HTTPResponseStatusCode(r.Status))
	}
	all = appendError(all, r.Failure, r.Status, 500)
	for _, text := range []struct{ key, value string }{
		{string(semconv.HTTPRouteKey), valid(r.Route)}, {"limpet.ingress", r.Source}, {"limpet.pool", r.Pool},
		{"limpet.affinity.outcome", r.Outcome}, {"limpet.affinity.reason", r.Reason}, {"limpet.request_id", valid(r.RequestID)},
	} {
		if text.value != "" {
			all = append(all, attribute.String(text.key, text.value))
		}
	}
	return all
}

func (a *Attempt) attributes(r *Request, number int, method string) []attribute.KeyValue {
	host, port := splitPort(a.Address)
	all := []attribute.KeyValue{
		semconv.HTTPRequestMethodKey.String(method), semconv.ServerAddress(host), semconv.ServerPort(port),
		semconv.URLFull(r.Scheme + "://" + valid(r.Host) + valid(r.Path)), // without the query, which may hold secrets
	}
	if a.Pod != "" {
		all = append(all, semconv.K8SPodName(a.Pod))
	}
	if a.Status > 0 {
		all = append(all, semconv.HTTPResponseStatusCode(a.Status))
	}
	if number > 0 {
		all = append(all, semconv.HTTPRequestResendCount(number))
	}
	return appendError(all, a.Failure, a.Status, 400)
}

// appendError appends the type of an error: the failure, or the status if it is an error for this kind of span.
func appendError(all []attribute.KeyValue, failure string, status, lowest int) []attribute.KeyValue {
	switch {
	case failure != "":
		return append(all, semconv.ErrorTypeKey.String(failure))
	case status >= lowest:
		return append(all, semconv.ErrorTypeKey.String(strconv.Itoa(status)))
	}
	return all
}

// splitPort splits the address of a pod.
func splitPort(address string) (host string, port int) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	port, _ = strconv.Atoi(text)
	return host, port
}

// version returns the version of a protocol such as HTTP/1.1.
func version(protocol string) string {
	return strings.TrimSuffix(strings.TrimPrefix(protocol, "HTTP/"), ".0")
}
