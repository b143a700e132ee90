// Package tracing exports spans of requests and of their attempts with OpenTelemetry.
//
// It decides which requests are sampled, reads and writes the W3C trace context (https://www.w3.org/TR/trace-context/), and names
// attributes by the semantic conventions of OpenTelemetry. When a request is traced and what is recorded of it is decided by the
// exchange package. Spans are made when a request ends, so requests that are not sampled allocate nothing.
package tracing
