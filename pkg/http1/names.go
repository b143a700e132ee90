package http1

// The sets of FieldIDs here are bits of one word.
const _ = uint(64 - fieldIDs)

// knownNames are spelled as they are written. They hold letters, digits and hyphens only.
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

// String gives the name as it is written, "" for those that stand for many names.
func (id FieldID) String() string { return knownNames[id] }

// longestKnown is the length of the longest known name.
const longestKnown = len("Proxy-Authentication-Info")

// slots finds a known name by nameSlot. No two share a slot; a test sees to that.
var slots = func() (s [256]FieldID) {
	for id := FieldHost; id < fieldIDs; id++ {
		name := []byte(knownNames[id])
		s[nameSlot(name)] = id
	}
	return s
}()

// nameSlot hashes the length and three letters of a name of two bytes or more, whatever their case.
func nameSlot(name []byte) uint8 {
	n := len(name)
	h := uint32(name[0]|0x20) + uint32(name[n/2]|0x20)<<8 + uint32(name[n-2]|0x20)<<16 + uint32(n)<<24
	return uint8(h * slotFactor >> 24)
}

const slotFactor = 0x9e377b1b

// NameID finds a field name, which must be a token (RFC 9110 section 5.6.2).
func NameID(name []byte) FieldID {
	if id := knownName(name); id != FieldOther {
		return id
	}
	var seen uint8
	for _, b := range name {
		seen |= class[b]
	}
	return unknown(name, seen)
}

// knownName needs no token: a name that is not one is not found.
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

// unknown finds what a name is that is not a known one. seen are the classes of its bytes.
func unknown(name []byte, seen uint8) FieldID {
	if seen&classOdd != 0 {
		return lookAlike(name)
	}
	return family(name)
}

// lookAlike finds names that become a known one where everything but letters and digits is taken for a hyphen.
func lookAlike(name []byte) FieldID {
	var space [longestKnown]byte
	plain := space[:min(len(name), longestKnown)]
	for i := range plain {
		plain[i] = name[i]
		if class[name[i]]&classOdd != 0 {
			plain[i] = '-'
		}
	}
	if family(plain) != FieldOther || len(name) <= longestKnown && knownName(plain) != FieldOther {
		return FieldLookAlike
	}
	return FieldOther
}

// families are beginnings that give a name its meaning, whatever follows.
var families = [...]struct {
	prefix string
	id     FieldID
}{{"X-Forwarded-", FieldForwardedOther}, {"Ssl-Client-", FieldSSLClient}}

func family(name []byte) FieldID {
	for i := range families {
		prefix := families[i].prefix
		if len(name) > len(prefix) && foldEqual(name[:len(prefix)], prefix) {
			return families[i].id
		}
	}
	return FieldOther
}

// foldEqual compares ASCII without regard to case.
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
