package affinity

import "bytes"

// cutPair splits what is left of a Cookie field at the next ";" (RFC 6265, section 4.2.1). Quotes do not protect one:
// section 5.2 has none.
func cutPair(field []byte) (pair, rest []byte) {
	if i := bytes.IndexByte(field, ';'); i >= 0 {
		return field[:i], field[i+1:]
	}
	return field, nil
}

// valueOf is the value of a pair, if it is the cookie of that name. Only space around the pair is forgiven, none
// around "="; a value in quotes is given without them.
func cookieValue(pair []byte, name string) (value []byte, ok bool) {
	pair = trimSpace(pair)
	if len(pair) <= len(name) || pair[len(name)] != '=' || string(pair[:len(name)]) != name {
		return nil, false
	}
	return unquote(pair[len(name)+1:]), true
}

// CookieValue gives the first value of the cookie that is not empty, nil if there is none.
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

// isSpace reports whether c is OWS of RFC 9110, section 5.6.3.
func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func unquote(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		return b[1 : len(b)-1]
	}
	return b
}

// AppendCookies appends the value of a Cookie field without the cookies of the names in drop, and without the tokens on
// those in unwraps. Everything else stays byte for byte. Nothing is appended if nothing is left: the field is then to be
// left out.
//
// It counts the cookies in pairs, over all Cookie fields of a request. Beyond the number that methods look at, they stay.
func AppendCookies(dst, field []byte, drop, unwraps []string, pairs *int) []byte {
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
		if isOneOf(pair, drop) {
			continue
		}
		if len(dst) == start {
			pair = trimSpace(pair)
		} else {
			dst = append(dst, ';')
		}
		if isOneOf(pair, unwraps) {
			dst = appendUnwrapped(dst, pair)
			continue
		}
		dst = append(dst, pair...)
	}
	return dst
}

// appendUnwrapped appends a pair without the token on its value, which may be in quotes.
func appendUnwrapped(dst, pair []byte) []byte {
	if trimmed := trimSpace(pair); trimmed[len(trimmed)-1] == '"' {
		end := bytes.LastIndexByte(pair, '"')
		if own, token := unwrap(pair[:end]); token != nil {
			return append(append(dst, own...), pair[end:]...)
		}
	}
	own, _ := unwrap(trimEnd(pair))
	return append(dst, own...)
}

func isOneOf(pair []byte, names []string) bool {
	for _, name := range names {
		if _, ok := cookieValue(pair, name); ok {
			return true
		}
	}
	return false
}
