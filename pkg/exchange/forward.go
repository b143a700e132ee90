package exchange

import (
	"strings"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// podHead writes the head of a request as the pod receives it.
type podHead struct {
	*request
	*selection
	protocol string // of the client, such as HTTP/1.1
	value    []byte // buffer for a field value
	cookies  int    // cookies of the request that were forwarded so far
}

// appendHead appends the head in HTTP/1.1 format. The head is written from its parsed parts. No byte is copied that was not
// parsed.
func (h *podHead) appendHead(b []byte) []byte {
	target := &h.view.Forward
	b = http1.AppendRequestLine(b, h.req.Method, target.Path, target.Query, target.HasQuery)
	b = http1.AppendField(b, "Host", h.host())
	b = h.appendFields(b)
	b = h.appendFraming(b)
	return http1.AppendHeadEnd(b)
}

// appendBlock appends the head as an HTTP/2 field section. lines is the output of appendFields.
func (h *podHead) appendBlock(b, lines []byte) []byte {
	target := &h.view.Forward
	b = http2.AppendRequest(b, h.req.Method, h.backend.Transport.TLS, h.host())
	b = http2.AppendPath(b, target.Path, target.Query, target.HasQuery)
	b = http2.AppendLines(b, lines)
	if h.req.TakesTrailers {
		b = http2.AppendField(b, teName, "trailers")
	}
	if h.req.ContentLength >= 0 {
		b = http2.AppendLength(b, h.req.ContentLength)
	}
	return b
}

// host returns the host that the pod receives.
func (h *podHead) host() []byte {
	if len(h.view.ForwardHost) > 0 {
		return h.view.ForwardHost
	}
	return h.req.Host
}

var teName = []byte("te")

// appendFields appends the end-to-end fields. It appends no hop-by-hop fields.
func (h *podHead) appendFields(b []byte) []byte {
	h.cookies = 0
	for i := range h.req.Fields {
		b = h.appendRequestField(b, &h.req.Fields[i])
	}
	for _, f := range h.view.ForwardFields() {
		if len(f.Value) > 0 {
			b = http1.AppendField(b, f.Name, f.Value)
		}
	}
	b = h.appendHandoff(h.appendMoved(b))
	return h.appendTrace(h.appendVia(h.appendForwarded(b)))
}

// appendVia appends this hop to the Via list, if that is enabled (RFC 9110 section 7.6.3).
func (h *podHead) appendVia(b []byte) []byte {
	name := h.Engine.Via
	if name == "" {
		return b
	}
	version := strings.TrimSuffix(strings.TrimPrefix(h.protocol, "HTTP/"), ".0") // "2" and "3" have no minor version
	if h.req.Minor == 0 {
		version = "1.0"
	}
	b = append(append(b, "Via: "...), version...)
	return append(append(append(b, ' '), name...), "\r\n"...)
}

func (h *podHead) appendRequestField(b []byte, f *http1.Field) []byte {
	if h.view.WithholdsField(f.Name) {
		return b
	}
	switch f.ID {
	case http1.FieldCookie:
		return h.appendCookies(b, f)
	case http1.FieldXForwardedFor, http1.FieldXForwardedProto, http1.FieldXForwardedHost, http1.FieldXForwardedPort,
		http1.FieldXRealIP, http1.FieldForwarded, http1.FieldXRequestID:
		return b // appendForwarded writes them
	case http1.FieldXForwardedPrefix:
		if len(h.view.ForwardPrefix) > 0 {
			return b
		}
	}
	if f.ID.AboutClient() && (!h.Trusted || contradicts(f, &h.view.Origin)) || !http1.ForwardRequestField(f, &h.req) {
		return b
	}
	if policy := h.backend.Policy; policy.EditsHeaders() {
		value, ok := policy.ForwardHeader(f.Name, f.Value, h.Engine.Keys.Load())
		if !ok {
			return b
		}
		return http1.AppendField(b, f.Name, value)
	}
	return http1.AppendField(b, f.Name, f.Value)
}

// appendMoved informs the app that its session was just moved, if the policy requests that.
func (h *podHead) appendMoved(b []byte) []byte {
	name, reason := h.backend.Policy.MovedHeader(&h.decision)
	if len(name) == 0 {
		return b
	}
	b = append(append(b, name...), ": "...)
	return append(append(b, reason...), "\r\n"...)
}

// appendHandoff informs the app which endpoint has the state of the session, as a Dictionary of RFC 9651.
func (h *podHead) appendHandoff(b []byte) []byte {
	name := h.backend.Policy.HandoffHeader(&h.decision)
	if name == nil {
		return b
	}
	b = append(append(b, name...), ": "...)
	from := h.set.Endpoint(h.decision.HandoffFrom)
	if from.Pod != "" {
		b = append(append(append(b, `pod="`...), from.Pod...), `", `...)
	}
	return append(append(append(b, `address="`...), from.Address...), "\"\r\n"...)
}

// appendCookies removes tokens. The app does not need them.
func (h *podHead) appendCookies(b []byte, f *http1.Field) []byte {
	names, wrapped := h.backend.Policy.CookieNames(), h.backend.Policy.WrappedCookies()
	if len(names)+len(wrapped) == 0 {
		return http1.AppendField(b, f.Name, f.Value)
	}
	h.value = affinity.AppendCookies(h.value[:0], f.Value, names, wrapped, h.Engine.Keys.Load(), &h.cookies)
	if len(h.value) == 0 {
		return b
	}
	return http1.AppendField(b, f.Name, h.value)
}

// appendFraming appends the fields that apply to this hop.
func (h *podHead) appendFraming(b []byte) []byte {
	switch {
	case h.upgrade != nil:
		b = http1.AppendField(append(b, "Connection: Upgrade\r\n"...), "Upgrade", h.upgrade)
	case h.req.TakesTrailers:
		b = append(b, "TE: trailers\r\nConnection: TE\r\n"...)
	}
	switch {
	case h.req.Body == http1.BodyChunked:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	case h.req.ContentLength >= 0:
		return http1.AppendContentLength(b, h.req.ContentLength)
	}
	return b
}

// NoClientCertificate is the identity field for a client without a certificate, on a route where certificates are optional.
const NoClientCertificate = "ssl-client-verify: NONE\r\n"

// appendIdentity informs the pod of the client's certificate, if the route requests certificates. These fields are never
// copied from the client's request.
func (h *podHead) appendIdentity(b []byte) []byte {
	switch {
	case h.route.Clients == nil:
		return b
	case h.TLS == nil: // the certificate that a balancer or proxy verified does not count
		return append(b, NoClientCertificate...)
	}
	return append(b, h.view.Identity...)
}
