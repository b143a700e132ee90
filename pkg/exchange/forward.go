package exchange

import (
	"strconv"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// appendHead writes the head of the request as the pod gets it: built anew, nothing is copied through unread.
func (x *Exchange) appendHead(b []byte) []byte {
	b = http1.AppendRequestLine(b, x.req.Method, x.path, x.req.Query, x.req.HasQuery)
	b = http1.AppendField(b, "Host", x.req.Host)
	b = x.appendFields(b)
	b = x.appendFraming(b)
	return http1.AppendHeadEnd(b)
}

// appendFields writes what is about the request itself, and not about how it travels to the pod.
func (x *Exchange) appendFields(b []byte) []byte {
	for i := range x.req.Fields {
		b = x.appendRequestField(b, &x.req.Fields[i])
	}
	b = x.appendMoved(b)
	return x.appendForwarded(b)
}

func (x *Exchange) appendRequestField(b []byte, f *http1.Field) []byte {
	switch f.ID {
	case http1.FieldCookie:
		return x.appendCookies(b, f)
	case http1.FieldXForwardedFor, http1.FieldXForwardedProto, http1.FieldXForwardedHost, http1.FieldXForwardedPort,
		http1.FieldXRealIP, http1.FieldForwarded, http1.FieldXRequestID:
		return b // appendForwarded writes them
	}
	if f.ID.AboutClient() && !x.Trusted || !http1.ForwardRequestField(f, &x.req) {
		return b
	}
	if policy := x.backend.Policy; policy.EditsHeaders() {
		value, ok := policy.ForwardHeader(f.Name, f.Value)
		if !ok {
			return b
		}
		return http1.AppendField(b, f.Name, value)
	}
	return http1.AppendField(b, f.Name, f.Value)
}

// appendMoved tells the app that its session has just moved, if the policy asks for that.
func (x *Exchange) appendMoved(b []byte) []byte {
	name, why := x.backend.Policy.MovedHeader(&x.decision)
	if len(name) == 0 {
		return b
	}
	b = append(append(b, name...), ": "...)
	return append(append(b, why...), "\r\n"...)
}

// appendCookies leaves out what is Limpet's own: the app has no use for it.
func (x *Exchange) appendCookies(b []byte, f *http1.Field) []byte {
	names, wrapped := x.backend.Policy.CookieNames(), x.backend.Policy.WrappedCookies()
	if len(names)+len(wrapped) == 0 {
		return http1.AppendField(b, f.Name, f.Value)
	}
	x.value = affinity.AppendCookies(x.value[:0], f.Value, names, wrapped)
	if len(x.value) == 0 {
		return b
	}
	return http1.AppendField(b, f.Name, x.value)
}

// appendForwarded says who the request comes from. What an untrusted peer says about that is not passed on; what a
// trusted one says is kept, with the peer itself added to the end of the lists.
func (x *Exchange) appendForwarded(b []byte) []byte {
	b = append(b, "X-Forwarded-For: "...)
	b = x.appendList(b, http1.FieldXForwardedFor)
	b = append(b, x.PeerText...)
	b = append(b, "\r\nX-Real-IP: "...)
	b = x.appendClient(b)
	b = append(b, "\r\nX-Forwarded-Proto: "...)
	b = append(b, x.said(http1.FieldXForwardedProto, x.scheme())...)
	b = append(b, "\r\nX-Forwarded-Host: "...)
	if host := x.trustedValue(http1.FieldXForwardedHost); host != nil {
		b = append(b, host...)
	} else {
		b = append(b, x.req.Host...)
	}
	b = append(b, "\r\nX-Forwarded-Port: "...)
	if port := x.trustedValue(http1.FieldXForwardedPort); port != nil {
		b = append(b, port...)
	} else {
		b = strconv.AppendUint(b, uint64(x.Local.Port()), 10)
	}
	b = append(b, "\r\nX-Request-ID: "...)
	b = append(b, x.requestID()...)
	b = append(b, "\r\nForwarded: "...)
	b = x.appendList(b, http1.FieldForwarded)
	return x.appendIdentity(x.appendForwardedElement(b))
}

// appendForwardedElement writes this hop's element of Forwarded (RFC 7239).
func (x *Exchange) appendForwardedElement(b []byte) []byte {
	if x.Peer.Is6() {
		b = append(b, `for="[`...)
		b = append(b, x.PeerText...)
		b = append(b, `]"`...)
	} else {
		b = append(b, "for="...)
		b = append(b, x.PeerText...)
	}
	b = append(b, `;host="`...)
	b = append(b, x.req.Host...) // its grammar has neither quotes nor backslashes
	b = append(b, `";proto=`...)
	b = append(b, x.scheme()...)
	return append(b, "\r\n"...)
}

// appendList writes what a trusted peer said in a list field, followed by a comma.
func (x *Exchange) appendList(b []byte, id http1.FieldID) []byte {
	if !x.Trusted || !x.req.Has(id) {
		return b
	}
	for i := range x.req.Fields {
		if f := &x.req.Fields[i]; f.ID == id && isList(f) {
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

func (x *Exchange) appendClient(b []byte) []byte {
	if x.client == x.Peer {
		return append(b, x.PeerText...)
	}
	return x.client.AppendTo(b)
}

func (x *Exchange) scheme() string {
	if x.TLS != nil {
		return "https"
	}
	return "http"
}

// said gives what a trusted peer says, or else what is seen here.
func (x *Exchange) said(id http1.FieldID, seen string) string {
	switch string(x.trustedValue(id)) {
	case "http":
		return "http"
	case "https":
		return "https"
	}
	return seen
}

func (x *Exchange) trustedValue(id http1.FieldID) []byte {
	if !x.Trusted {
		return nil
	}
	return x.req.Get(id)
}

// appendFraming writes the fields that are about this hop.
func (x *Exchange) appendFraming(b []byte) []byte {
	switch {
	case x.req.WebSocket():
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	case x.req.TakesTrailers:
		b = append(b, "TE: trailers\r\nConnection: TE\r\n"...)
	}
	switch {
	case x.req.Body == http1.BodyChunked:
		return append(b, "Transfer-Encoding: chunked\r\n"...)
	case x.req.ContentLength >= 0:
		return http1.AppendContentLength(b, x.req.ContentLength)
	}
	return b
}

// NoIdentity are the fields for a client that has shown no certificate, where it need not.
const NoIdentity = "ssl-client-verify: NONE\r\n"

// appendIdentity tells the pod of a route that asks for certificates who the client is. Nobody else may say so: the
// fields are never taken from a client.
func (x *Exchange) appendIdentity(b []byte) []byte {
	switch {
	case x.route.Clients == nil:
		return b
	case x.TLS == nil:
		return append(b, NoIdentity...)
	}
	return append(b, x.TLS.Identity...)
}
