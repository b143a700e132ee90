package routing

import "bytes"

// maxDecodings bounds how often the percent-encoding of a path is decoded. Pods decode it once; some apps decode it again.
const maxDecodings = 3

// folded is a path in a form that is equal for all spellings which some server takes for the same path.
type folded struct {
	// text has segments without parameters, in lower case. It ends with "/" only if the path did, except for "/" itself.
	text []byte
	// cut is the length of text before the first "?" or "#". Some servers parse a decoded path as a URL again.
	cut int
	// hasDots is true if decoding revealed a dot segment. Its meaning depends on the server.
	hasDots bool
}

// fold folds a normalized path. The text is built in dst[:0].
func fold(dst, path []byte) folded {
	out := append(dst[:0], path...)
	for range maxDecodings {
		if bytes.IndexByte(out, '%') < 0 {
			break
		}
		out = decodeInPlace(out)
	}
	out = asciiInPlace(out)
	f := folded{}
	f.text, f.hasDots = segmentsInPlace(out)
	f.cut = len(f.text)
	if i := bytes.IndexAny(f.text, "?#"); i >= 0 {
		f.cut = i
	}
	return f
}

// isPlain reports whether a path has only one spelling: fold would return it unchanged.
func isPlain(path []byte) bool {
	start := true // of a segment
	for i, c := range path {
		switch {
		case c == '/':
			if start && i > 0 || i > 0 && path[i-1] == '.' {
				return false
			}
			start = true
			continue
		case c == '%', c == ';', c == '\\', 'A' <= c && c <= 'Z', c <= ' ', c >= 0x7f:
			return false
		}
		start = false
	}
	n := len(path)
	return n > 0 && path[n-1] != '/' && path[n-1] != '.' || n == 1
}

// decodeInPlace decodes percent-encodings once.
func decodeInPlace(path []byte) []byte {
	out := path[:0]
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if high, low := hexDigit(path[i+1]), hexDigit(path[i+2]); high >= 0 && low >= 0 {
				c = byte(high<<4 | low)
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

// asciiInPlace replaces characters by the ASCII character that some servers take them for, in lower case: overlong encodings,
// fullwidth forms, the Kelvin sign and the long s. Backslashes become slashes. Control characters, which URL parsers of
// browsers remove, are left out.
func asciiInPlace(path []byte) []byte {
	out := path[:0]
	for i := 0; i < len(path); {
		c, n := path[i], 1
		if c >= 0x80 {
			c, n = asciiAt(path[i:])
		}
		i += n
		switch {
		case c < ' ', c == 0x7f:
			continue
		case c == '\\':
			c = '/'
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	return out
}

// kelvinSign and longS become ASCII letters when their case is ignored.
var kelvinSign, longS = []byte("\u212A"), []byte("\u017F")

// asciiAt returns the ASCII character for the start of text, or its first byte, and the number of bytes that it has in text.
func asciiAt(text []byte) (c byte, n int) {
	switch {
	case len(text) >= 2 && text[0]&^1 == 0xC0 && text[1]&0xC0 == 0x80: // overlong
		return text[0]&1<<6 | text[1]&0x3F, 2
	case len(text) >= 3 && text[0] == 0xEF && text[1]&^1 == 0xBC && text[2]&0xC0 == 0x80: // fullwidth
		if at := int(text[1]&1)<<6 | int(text[2]&0x3F); 1 <= at && at <= 0x5E {
			return byte(at) + ' ', 3
		}
	case bytes.HasPrefix(text, kelvinSign):
		return 'k', len(kelvinSign)
	case bytes.HasPrefix(text, longS):
		return 's', len(longS)
	}
	return text[0], 1
}

// segmentsInPlace folds the segments of a path: without parameters after ";", without dots and spaces at their end, and without
// empty segments. It reports whether there was a dot segment.
func segmentsInPlace(path []byte) (out []byte, hasDots bool) {
	out = path[:0]
	endsInSlash := len(path) > 0 && path[len(path)-1] == '/'
	for i := 0; i < len(path); {
		end := i + bytes.IndexByte(path[i:], '/')
		if end < i {
			end = len(path)
		}
		segment := path[i:end]
		if semicolon := bytes.IndexByte(segment, ';'); semicolon >= 0 {
			segment = segment[:semicolon]
		}
		hasDots = hasDots || string(segment) == "." || string(segment) == ".."
		if segment = bytes.TrimRight(segment, ". "); len(segment) > 0 {
			out = append(append(out, '/'), segment...)
		}
		i = end + 1
	}
	if endsInSlash || len(out) == 0 {
		out = append(out, '/')
	}
	return out, hasDots
}
