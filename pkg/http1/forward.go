package http1

// Sets of FieldIDs, bit by ID.
const (
	// perHop are about one connection (RFC 9110 section 7.6.1), whether or not Connection names them. With them go
	// what is for a proxy (section 11.7), which Limpet is not towards its clients, and the upgrade to HTTP/2.
	perHop = 1<<FieldConnection | 1<<FieldKeepAlive | 1<<FieldUpgrade | 1<<FieldTE | 1<<FieldTransferEncoding |
		1<<FieldProxyConnection | 1<<FieldProxyAuthenticate | 1<<FieldProxyAuthenticationInfo |
		1<<FieldProxyAuthorization | 1<<FieldHTTP2Settings | 1<<FieldLimpetReleaseSession

	// aboutClient is what proxies on the way say about the client and what it asked for.
	aboutClient = 1<<FieldForwarded | 1<<FieldXForwardedFor | 1<<FieldXForwardedHost | 1<<FieldXForwardedPort |
		1<<FieldXForwardedPrefix | 1<<FieldXForwardedProto | 1<<FieldXForwardedScheme | 1<<FieldXForwardedServer |
		1<<FieldXForwardedSSL | 1<<FieldXRealIP | 1<<FieldXScheme | 1<<FieldForwardedOther

	// neverInRequest is left out of every request: what is per hop, what the writer writes itself, and what is made
	// to fool the server.
	neverInRequest = perHop | 1<<FieldWithheld | 1<<FieldHost | 1<<FieldContentLength | 1<<FieldProxy |
		1<<FieldLookAlike | 1<<FieldSSLClient

	neverInResponse = perHop | 1<<FieldWithheld | 1<<FieldContentLength
)

func (id FieldID) in(set uint64) bool { return set&(1<<id) != 0 }

// AboutClient reports whether a field of that name tells who the client is or what it asked for, as X-Forwarded-For
// does. Anybody can send one: it is to be believed from trusted proxies only.
func (id FieldID) AboutClient() bool { return id.in(aboutClient) }

// ForwardRequestField reports whether f of r goes to the next hop as it is. Host, Content-Length, Transfer-Encoding,
// Connection, TE and Upgrade never do: the writer makes its own from r.
func ForwardRequestField(f *Field, r *Request) bool {
	if f.ID == FieldOther {
		return !r.Nominated(f.Name)
	}
	if f.ID == FieldExpect {
		return r.ExpectContinue
	}
	return !f.ID.in(neverInRequest) && r.carries(f)
}

// ForwardResponseField reports whether f of r goes to the client as it is. Content-Length, Transfer-Encoding,
// Connection and Upgrade never do: the writer makes its own from r.
func ForwardResponseField(f *Field, r *Response) bool {
	if f.ID == FieldOther {
		return !r.Nominated(f.Name)
	}
	return !f.ID.in(neverInResponse) && r.carries(f)
}

// carries holds back the announcement of trailers where there are none. Naming in Connection takes away only fields
// that are not known here: whatever Limpet and proxies before it rely on is meant for all recipients, and may not be
// named there (RFC 9110 section 7.6.1).
func (m *Message) carries(f *Field) bool { return f.ID != FieldTrailer || m.Body == BodyChunked }

// ForwardTrailer reports whether f of the trailers that followed m goes to the next hop. A trailer that is known by
// name does not: those are about framing, routing, authentication or how to read the content, and too late there (RFC
// 9110 section 6.5.1).
func ForwardTrailer(f *Field, m *Message) bool {
	return f.ID == FieldOther && !m.Nominated(f.Name)
}
