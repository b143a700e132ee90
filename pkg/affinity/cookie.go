package affinity

import "bytes"

// cutPair splits a Cookie field value at the next ";" (RFC 6265, section 4.2.1). Quotes do not protect a semicolon,
// because section 5.2 does not interpret them.
func cutPair(field []byte) (pair, rest []byte) {
	if i := bytes.IndexByte(field, ';'); i >= 0 {
		return field[:i], field[i+1:]
	}
	return field, nil
}

// cookieValue returns the value of pair if the cookie has that name. Whitespace around the pair is ignored, whitespace
// around "=" is not. Quotes around the value are removed.
func cookieValue(pair []byte, name string) (value []byte, ok bool) {
	pair = trimSpace(pair)
	if len(pair) <= len(name) || pair[len(name)] != '=' || string(pair[:len(name)]) != name {
		return nil, false
	}
	return unquote(pair[len(name)+1:]), true
}

// CookieValue returns the first non-empty value of the cookie, or nil if there is no such cookie.
func CookieValue(req Request, name string) []byte {
	pairs := 0
	for i := 0; ; i++ {
		field := req.CookieHeader(i)
		if field == nil {
			return nil
		}
		for len(field) > 0 {
			var pair []byte
			pair, field = cutPair(field)
			if pairs++; pairs > maxPairs {
				return nil
			}
			if value, ok := cookieValue(pair, name); ok && len(value) > 0 {
				return value
			}
		}
	}
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return trimEnd(b)
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// isSpace reports whether c is OWS (RFC 9110, section 5.6.3).
func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func unquote(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		return b[1 : len(b)-1]
	}
	return b
}

// AppendCookies appends the value of a Cookie field for the app. It removes the tokens in cookies named in drop, and
// those appended to the cookies named in unwrapNames. All other bytes are unchanged. If no cookie remains, it appends nothing,
// and the caller must omit the field.
//
// It counts cookies in *pairs, over all Cookie fields of a request. Cookies beyond the number that methods read are
// copied unchanged.
func AppendCookies(dst, field []byte, drop, unwrapNames []string, keys *Keyring, pairs *int) []byte {
	start := len(dst)
	for len(field) > 0 {
		if *pairs++; *pairs > maxPairs {
			if len(dst) > start {
				dst = append(dst, ';')
			}
			return append(dst, field...)
		}
		var pair []byte
		pair, field = cutPair(field)
		if isToken(pair, drop, keys) {
			continue
		}
		if len(dst) == start {
			pair = trimSpace(pair)
		} else {
			dst = append(dst, ';')
		}
		if isOneOf(pair, unwrapNames) {
			dst = appendUnwrapped(dst, pair)
			continue
		}
		dst = append(dst, pair...)
	}
	return dst
}

// appendUnwrapped appends a pair without the token at the end of its value, which may be quoted.
func appendUnwrapped(dst, pair []byte) []byte {
	if trimmed := trimSpace(pair); trimmed[len(trimmed)-1] == '"' {
		end := bytes.LastIndexByte(pair, '"')
		if value, token := unwrap(pair[:end]); token != nil {
			return append(append(dst, value...), pair[end:]...)
		}
	}
	value, _ := unwrap(trimEnd(pair))
	return append(dst, value...)
}

// isToken reports whether a cookie with one of these names contains a token. Other values belong to the app.
func isToken(pair []byte, names []string, keys *Keyring) bool {
	for _, name := range names {
		if value, ok := cookieValue(pair, name); ok {
			return keys.HasSealed(value)
		}
	}
	return false
}

func isOneOf(pair []byte, names []string) bool {
	for _, name := range names {
		if _, ok := cookieValue(pair, name); ok {
			return true
		}
	}
	return false
}
