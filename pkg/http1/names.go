package http1

// Bit sets of FieldIDs must fit into 64 bits.
const _ = uint(64 - fieldIDs)

// knownNames has the canonical spelling. Names consist of letters, digits and hyphens.
var knownNames = [fieldIDs]string{
	FieldHost:                    "Host",
	FieldContentLength:           "Content-Length",
	FieldTransferEncoding:        "Transfer-Encoding",
	FieldConnection:              "Connection",
	FieldKeepAlive:               "Keep-Alive",
	FieldUpgrade:                 "Upgrade",
	FieldHTTP2Settings:           "HTTP2-Settings",
	FieldLimpetReleaseSession:    "Limpet-Release-Session",
	FieldTE:                      "TE",
	FieldTrailer:                 "Trailer",
	FieldExpect:                  "Expect",
	FieldProxy:                   "Proxy",
	FieldProxyAuthenticate:       "Proxy-Authenticate",
	FieldProxyAuthenticationInfo: "Proxy-Authentication-Info",
	FieldProxyAuthorization:      "Proxy-Authorization",
	FieldProxyConnection:         "Proxy-Connection",
	FieldForwarded:               "Forwarded",
	FieldXForwardedFor:           "X-Forwarded-For",
	FieldXForwardedHost:          "X-Forwarded-Host",
	FieldXForwardedPort:          "X-Forwarded-Port",
	FieldXForwardedPrefix:        "X-Forwarded-Prefix",
	FieldXForwardedProto:         "X-Forwarded-Proto",
	FieldXForwardedScheme:        "X-Forwarded-Scheme",
	FieldXForwardedServer:        "X-Forwarded-Server",
	FieldXForwardedSSL:           "X-Forwarded-Ssl",
	FieldXRealIP:                 "X-Real-Ip",
	FieldXRequestID:              "X-Request-Id",
	FieldXScheme:                 "X-Scheme",
	FieldVia:                     "Via",
	FieldAccept:                  "Accept",
	FieldAcceptEncoding:          "Accept-Encoding",
	FieldAuthorization:           "Authorization",
	FieldCacheControl:            "Cache-Control",
	FieldClientCert:              "Client-Cert",
	FieldClientCertChain:         "Client-Cert-Chain",
	FieldContentEncoding:         "Content-Encoding",
	FieldContentRange:            "Content-Range",
	FieldContentType:             "Content-Type",
	FieldCookie:                  "Cookie",
	FieldDate:                    "Date",
	FieldLocation:                "Location",
	FieldMaxForwards:             "Max-Forwards",
	FieldOrigin:                  "Origin",
	FieldRange:                   "Range",
	FieldReferer:                 "Referer",
	FieldRetryAfter:              "Retry-After",
	FieldSecWebSocketAccept:      "Sec-Websocket-Accept",
	FieldSecWebSocketExtensions:  "Sec-Websocket-Extensions",
	FieldSecWebSocketKey:         "Sec-Websocket-Key",
	FieldSecWebSocketProtocol:    "Sec-Websocket-Protocol",
	FieldSecWebSocketVersion:     "Sec-Websocket-Version",
	FieldServer:                  "Server",
	FieldSetCookie:               "Set-Cookie",
	FieldUserAgent:               "User-Agent",
	FieldVary:                    "Vary",
	FieldWWWAuthenticate:         "Www-Authenticate",
}

// String returns the canonical name. It returns "" for IDs that stand for several names.
func (id FieldID) String() string { return knownNames[id] }

// maxKnownName is the length of the longest well-known name.
const maxKnownName = len("Proxy-Authentication-Info")

// slots is a perfect hash table of the well-known names by nameSlot. A test checks that there are no collisions.
var slots = func() (s [256]FieldID) {
	for id := FieldHost; id < fieldIDs; id++ {
		name := []byte(knownNames[id])
		s[nameSlot(name)] = id
	}
	return s
}()

// nameSlot hashes the length and three letters of a name, ignoring case. The name must have at least two bytes.
func nameSlot(name []byte) uint8 {
	n := len(name)
	h := uint32(name[0]|0x20) + uint32(name[n/2]|0x20)<<8 + uint32(name[n-2]|0x20)<<16 + uint32(n)<<24
	return uint8(h * slotFactor >> 24)
}

const slotFactor = 0x9e377b1b

// NameID returns the ID of a field name. The name must be a token (RFC 9110, section 5.6.2).
func NameID(name []byte) FieldID {
	if id := knownName(name); id != FieldOther {
		return id
	}
	var seen uint8
	for _, b := range name {
		seen |= class[b]
	}
	return classifyName(name, seen)
}

// knownName returns the ID of a well-known name, or FieldOther. The name need not be a token.
func knownName(name []byte) FieldID {
	if len(name) < 2 {
		return FieldOther
	}
	id := slots[nameSlot(name)]
	if known := knownNames[id]; string(name) != known && !foldEqual(name, known) {
		return FieldOther
	}
	return id
}

// classifyName returns the ID of a name that is not well-known. seen is the union of the classes of its bytes.
func classifyName(name []byte, seen uint8) FieldID {
	if seen&classOdd != 0 {
		return lookAlike(name)
	}
	return prefixID(name)
}

// lookAlike returns FieldLookAlike if the name becomes a well-known one when all characters except letters and
// digits are replaced by hyphens.
func lookAlike(name []byte) FieldID {
	var space [maxKnownName]byte
	plain := space[:min(len(name), maxKnownName)]
	for i := range plain {
		plain[i] = name[i]
		if class[name[i]]&classOdd != 0 {
			plain[i] = '-'
		}
	}
	if prefixID(plain) != FieldOther || len(name) <= maxKnownName && knownName(plain) != FieldOther {
		return FieldLookAlike
	}
	return FieldOther
}

// prefixes are name prefixes with an ID of their own.
var prefixes = [...]struct {
	prefix string
	id     FieldID
}{{"X-Forwarded-", FieldForwardedOther}, {"Ssl-Client-", FieldSSLClient}}

// prefixID returns the ID of the prefix of a name, or FieldOther.
func prefixID(name []byte) FieldID {
	for i := range prefixes {
		prefix := prefixes[i].prefix
		if len(name) > len(prefix) && foldEqual(name[:len(prefix)], prefix) {
			return prefixes[i].id
		}
	}
	return FieldOther
}

// EqualFold reports whether a equals b, ignoring the case of ASCII letters.
func EqualFold(a []byte, b string) bool { return foldEqual(a, b) }

// foldEqual compares ASCII case-insensitively.
func foldEqual[T text](a []byte, b T) bool {
	if len(a) != len(b) {
		return false
	}
	for i, x := range a {
		if y := b[i]; x != y && lower[x] != lower[y] {
			return false
		}
	}
	return true
}
