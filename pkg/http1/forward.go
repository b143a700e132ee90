package http1

// Bit sets of FieldIDs.
const (
	// hopByHop fields apply to one connection (RFC 9110, section 7.6.1), whether or not Connection lists them. The
	// set includes fields for proxy authentication (section 11.7) and the upgrade to HTTP/2.
	hopByHop = 1<<FieldConnection | 1<<FieldKeepAlive | 1<<FieldUpgrade | 1<<FieldTE | 1<<FieldTransferEncoding |
		1<<FieldProxyConnection | 1<<FieldProxyAuthenticate | 1<<FieldProxyAuthenticationInfo |
		1<<FieldProxyAuthorization | 1<<FieldHTTP2Settings | 1<<FieldLimpetReleaseSession

	// aboutClient fields are set by proxies to describe the client and its request.
	aboutClient = 1<<FieldForwarded | 1<<FieldXForwardedFor | 1<<FieldXForwardedHost | 1<<FieldXForwardedPort |
		1<<FieldXForwardedPrefix | 1<<FieldXForwardedProto | 1<<FieldXForwardedScheme | 1<<FieldXForwardedServer |
		1<<FieldXForwardedSSL | 1<<FieldXRealIP | 1<<FieldXScheme | 1<<FieldForwardedOther |
		1<<FieldClientCert | 1<<FieldClientCertChain

	// notForwardedInRequest fields are never forwarded in requests: hop-by-hop fields, fields that the writer
	// generates, and fields used in attacks on servers.
	notForwardedInRequest = hopByHop | 1<<FieldWithheld | 1<<FieldHost | 1<<FieldContentLength | 1<<FieldProxy |
		1<<FieldLookAlike | 1<<FieldSSLClient

	notForwardedInResponse = hopByHop | 1<<FieldWithheld | 1<<FieldContentLength
)

func (id FieldID) in(set uint64) bool { return set&(1<<id) != 0 }

// AboutClient reports whether fields of that name describe the client or its request, like X-Forwarded-For. They
// must be trusted only if they were sent by a trusted proxy.
func (id FieldID) AboutClient() bool { return id.in(aboutClient) }

// ForwardRequestField reports whether f of r is forwarded unchanged. Host, Content-Length, Transfer-Encoding,
// Connection, TE and Upgrade never are, because the writer generates them from r.
func ForwardRequestField(f *Field, r *Request) bool {
	if f.ID == FieldOther {
		return !r.Nominated(f.Name)
	}
	if f.ID == FieldExpect {
		return r.ExpectContinue
	}
	return !f.ID.in(notForwardedInRequest) && r.forwardsTrailer(f)
}

// ForwardResponseField reports whether f of r is forwarded unchanged. Content-Length, Transfer-Encoding, Connection
// and Upgrade never are, because the writer generates them from r.
func ForwardResponseField(f *Field, r *Response) bool {
	if f.ID == FieldOther {
		return !r.Nominated(f.Name)
	}
	return !f.ID.in(notForwardedInResponse) && r.forwardsTrailer(f)
}

// forwardsTrailer returns false for a Trailer field if m cannot have trailers.
//
// Listing a well-known field in Connection has no effect. Limpet and proxies rely on these fields, and fields
// intended for all recipients must not be listed there (RFC 9110, section 7.6.1).
func (m *Message) forwardsTrailer(f *Field) bool {
	return f.ID != FieldTrailer || m.Body == BodyChunked
}

// ForwardTrailer reports whether f, a trailer field of m, is forwarded. Well-known fields are not: they concern
// framing, routing, authentication or content handling, and must not be sent as trailers (RFC 9110, section 6.5.1).
func ForwardTrailer(f *Field, m *Message) bool {
	return f.ID == FieldOther && !m.Nominated(f.Name)
}
