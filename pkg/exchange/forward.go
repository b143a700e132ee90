package exchange

import (
	"strconv"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// podHead writes the head of a request as a pod receives it.
type podHead struct {
	*request
	*selection
	value   []byte // space for a field value
	cookies int    // of the request that were passed on so far
}

// appendHead writes the head of the request as the pod gets it: built anew, nothing is copied through unread.
func (h *podHead) appendHead(b []byte) []byte {
	to := &h.view.Forward
	b = http1.AppendRequestLine(b, h.req.Method, to.Path, to.Query, to.HasQuery)
	b = http1.AppendField(b, "Host", h.req.Host)
	b = h.appendFields(b)
	b = h.appendFraming(b)
	return http1.AppendHeadEnd(b)
}

// appendBlock writes the head as a field section of HTTP/2. lines is what appendFields has written.
func (h *podHead) appendBlock(b, lines []byte) []byte {
	to := &h.view.Forward
	b = http2.AppendRequest(b, h.req.Method, h.backend.Transport.TLS, h.req.Host)
	b = http2.AppendPath(b, to.Path, to.Query, to.HasQuery)
	b = http2.AppendLines(b, lines)
	if h.req.TakesTrailers {
		b = http2.AppendField(b, teName, "trailers")
	}
	if h.req.ContentLength >= 0 {
		b = http2.AppendLength(b, h.req.ContentLength)
	}
	return b
}

var teName = []byte("te")

// appendFields writes what is about the request itself, and not about how it travels to the pod.
func (h *podHead) appendFields(b []byte) []byte {
	h.cookies = 0
	for i := range h.req.Fields {
		b = h.appendRequestField(b, &h.req.Fields[i])
	}
	b = h.appendMoved(b)
	return h.appendForwarded(b)
}

func (h *podHead) appendRequestField(b []byte, f *http1.Field) []byte {
	switch f.ID {
	case http1.FieldCookie:
		return h.appendCookies(b, f)
	case http1.FieldXForwardedFor, http1.FieldXForwardedProto, http1.FieldXForwardedHost, http1.FieldXForwardedPort,
		http1.FieldXRealIP, http1.FieldForwarded, http1.FieldXRequestID:
		return b // appendForwarded writes them
	}
	if f.ID.AboutClient() && !h.Trusted || !http1.ForwardRequestField(f, &h.req) {
		return b
	}
	if policy := h.backend.Policy; policy.EditsHeaders() {
		value, ok := policy.ForwardHeader(f.Name, f.Value)
		if !ok {
			return b
		}
		return http1.AppendField(b, f.Name, value)
	}
	return http1.AppendField(b, f.Name, f.Value)
}

// appendMoved tells the app that its session has just moved, if the policy asks for that.
func (h *podHead) appendMoved(b []byte) []byte {
	name, why := h.backend.Policy.MovedHeader(&h.decision)
	if len(name) == 0 {
		return b
	}
	b = append(append(b, name...), ": "...)
	return append(append(b, why...), "\r\n"...)
}

// appendCookies leaves out what is Limpet's own: the app has no use for it.
func (h *podHead) appendCookies(b []byte, f *http1.Field) []byte {
	names, wrapped := h.backend.Policy.CookieNames(), h.backend.Policy.WrappedCookies()
	if len(names)+len(wrapped) == 0 {
		return http1.AppendField(b, f.Name, f.Value)
	}
	h.value = affinity.AppendCookies(h.value[:0], f.Value, names, wrapped, &h.cookies)
	if len(h.value) == 0 {
		return b
	}
	return http1.AppendField(b, f.Name, h.value)
}

// appendForwarded says who the request comes from. What an untrusted peer says about that is not passed on; what a
// trusted one says is kept, with the peer itself added to the end of the lists.
func (h *podHead) appendForwarded(b []byte) []byte {
	b = append(b, "X-Forwarded-For: "...)
	b = h.appendList(b, http1.FieldXForwardedFor)
	b = append(b, h.PeerText...)
	b = append(b, "\r\nX-Real-IP: "...)
	b = h.appendClient(b)
	b = append(b, "\r\nX-Forwarded-Proto: "...)
	b = append(b, h.view.Scheme()...)
	b = append(b, "\r\nX-Forwarded-Host: "...)
	if host := h.trustedValue(http1.FieldXForwardedHost); host != nil {
		b = append(b, host...)
	} else {
		b = append(b, h.req.Host...)
	}
	b = append(b, "\r\nX-Forwarded-Port: "...)
	if port := h.trustedValue(http1.FieldXForwardedPort); port != nil {
		b = append(b, port...)
	} else {
		b = strconv.AppendUint(b, uint64(h.Local.Port()), 10)
	}
	b = append(b, "\r\nX-Request-ID: "...)
	b = append(b, h.view.ID()...)
	b = append(b, "\r\nForwarded: "...)
	b = h.appendList(b, http1.FieldForwarded)
	return h.appendIdentity(h.appendForwardedElement(b))
}

// appendForwardedElement writes this hop's element of Forwarded (RFC 7239).
func (h *podHead) appendForwardedElement(b []byte) []byte {
	if h.Peer.Is6() {
		b = append(b, `for="[`...)
		b = append(b, h.PeerText...)
		b = append(b, `]"`...)
	} else {
		b = append(b, "for="...)
		b = append(b, h.PeerText...)
	}
	b = append(b, `;host="`...)
	b = append(b, h.req.Host...) // its grammar has neither quotes nor backslashes
	b = append(b, `";proto=`...)
	b = append(b, h.view.ConnectionScheme()...)
	return append(b, "\r\n"...)
}

// appendList writes what a trusted peer said in a list field, followed by a comma.
func (h *podHead) appendList(b []byte, id http1.FieldID) []byte {
	if !h.Trusted || !h.req.Has(id) {
		return b
	}
	for i := range h.req.Fields {
		if f := &h.req.Fields[i]; f.ID == id && isList(f) {
			b = append(b, f.Value...)
			b = append(b, ", "...)
		}
	}
	return b
}

// isList reports whether more may be added to the list in f: behind an open quote it would not be read.
func isList(f *http1.Field) bool {
	var hops forwardedHops
	return len(f.Value) > 0 && (f.ID != http1.FieldForwarded || hops.read(f.Value))
}

func (h *podHead) appendClient(b []byte) []byte {
	if h.view.ClientIP == h.Peer {
		return append(b, h.PeerText...)
	}
	return h.view.ClientIP.AppendTo(b)
}

func (h *podHead) trustedValue(id http1.FieldID) []byte {
	if !h.Trusted {
		return nil
	}
	return h.req.Get(id)
}

// appendFraming writes the fields that are about this hop.
func (h *podHead) appendFraming(b []byte) []byte {
	switch {
	case h.req.WebSocket():
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
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

// NoIdentity are the fields for a client that has shown no certificate, where it need not.
const NoIdentity = "ssl-client-verify: NONE\r\n"

// appendIdentity tells the pod of a route that asks for certificates who the client is. Nobody else may say so: the
// fields are never taken from a client.
func (h *podHead) appendIdentity(b []byte) []byte {
	switch {
	case h.route.Clients == nil:
		return b
	case h.TLS == nil:
		return append(b, NoIdentity...)
	}
	return append(b, h.TLS.Identity...)
}
