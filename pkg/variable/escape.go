package variable

const upperHex = "0123456789ABCDEF"

// AppendURL appends a value as a part of a URL. It keeps what may occur in a path and query (RFC 3986), percent-encodings
// included, and encodes all other bytes: the value cannot end the URL or begin a fragment.
func AppendURL(dst, value []byte) []byte { return appendEscaped(dst, value, isURLByte) }

// AppendComponent appends a value as one component of a URI: all bytes that are not unreserved are encoded, as the module
// set-misc of nginx does for $escaped_request_uri.
func AppendComponent(dst, value []byte) []byte { return appendEscaped(dst, value, isUnreserved) }

func appendEscaped(dst, value []byte, keep func(byte) bool) []byte {
	for _, c := range value {
		if keep(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

func isUnreserved(c byte) bool { return isNameByte(c) || c == '-' || c == '.' || c == '~' }

func isURLByte(c byte) bool {
	if isUnreserved(c) {
		return true
	}
	switch c {
	case '%', '!', '$', '&', '\'', '(', ')', '*', '+', ',', ';', '=', ':', '@', '/', '?', '[', ']':
		return true
	}
	return false
}
