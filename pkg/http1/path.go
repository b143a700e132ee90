package http1

import "bytes"

// NormalizePath gives the one form of a path that is both matched and forwarded, so that Limpet and the server behind
// it cannot see two different ones: escapes of unreserved characters are decoded and other ones put in capitals (RFC
// 3986 section 6.2.2), and dot segments are taken out (section 5.2.4). "//", %2F and %5C are kept.
//
// Refused are paths that climb above the root, and those that only some servers would take for having dot segments:
// "..;x", "..%2Fx". Also %00.
//
// out is path itself when there is nothing to do. Otherwise it is built in dst[:0], which must not overlap path.
// A path that does not begin with "/", that is "*", is returned as it is.
func NormalizePath(dst, path []byte) (out []byte, changed bool, err error) {
	if isNormal(path) {
		return path, false, nil
	}
	out, err = appendSegments(dst[:0], path)
	if err != nil {
		return nil, false, err
	}
	if bytes.Equal(out, path) {
		return path, false, nil
	}
	return out, true, nil
}

// isNormal finds most paths that need no work: there is no escape and no segment that begins with a dot.
func isNormal(path []byte) bool {
	if len(path) == 0 || path[0] != '/' {
		return true
	}
	return bytes.IndexByte(path, '%') < 0 && !bytes.Contains(path, slashDot)
}

var slashDot = []byte("/.")

// appendSegments appends path to the empty out, segment by segment.
func appendSegments(out, path []byte) (_ []byte, err error) {
	for len(path) > 0 {
		var segment []byte
		segment, path = cutSegment(path)
		start := len(out)
		if out, err = appendUnescaped(append(out, '/'), segment); err != nil {
			return nil, err
		}
		if out, err = foldDots(out, start, len(path) == 0); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cutSegment takes the first segment off a path that begins with "/".
func cutSegment(path []byte) (segment, rest []byte) {
	path = path[1:]
	if i := bytes.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, nil
}

// foldDots takes the segment that begins at start out again if it is a dot segment, and for ".." the one before. Where
// it was the last one, the slash before it stays.
func foldDots(out []byte, start int, last bool) ([]byte, error) {
	switch segment := out[start+1:]; {
	case string(segment) == ".":
		out = out[:start]
	case string(segment) == "..":
		if start == 0 {
			return nil, ErrPathAboveRoot
		}
		out = out[:bytes.LastIndexByte(out[:start], '/')]
	case hidesDots(segment):
		return nil, ErrPathAmbiguous
	default:
		return out, nil
	}
	if last {
		out = append(out, '/')
	}
	return out, nil
}

// hidesDots reports whether a segment, that is no dot segment itself, has one between semicolons or escaped slashes.
// Servlet containers cut at the former, and careless servers decode the latter first.
func hidesDots(segment []byte) bool {
	if bytes.IndexByte(segment, '.') < 0 {
		return false
	}
	for more := true; more; {
		var piece []byte
		piece, segment, more = cutPiece(segment)
		if string(piece) == "." || string(piece) == ".." {
			return true
		}
	}
	return false
}

func cutPiece(segment []byte) (piece, rest []byte, more bool) {
	for i := range segment {
		if n := separator(segment[i:]); n > 0 {
			return segment[:i], segment[i+n:], true
		}
	}
	return segment, nil, false
}

// separator gives the length of what text begins with, if that may end a segment in the eyes of some servers.
func separator(text []byte) int {
	if len(text) > 0 && text[0] == ';' {
		return 1
	}
	if len(text) >= 3 && (string(text[:3]) == "%2F" || string(text[:3]) == "%5C") {
		return 3
	}
	return 0
}

// appendUnescaped appends a segment with its escapes made normal.
func appendUnescaped(out, segment []byte) ([]byte, error) {
	for len(segment) > 0 {
		i := bytes.IndexByte(segment, '%')
		if i < 0 {
			return append(out, segment...), nil
		}
		out = append(out, segment[:i]...)
		if segment = segment[i:]; !isEscape(segment) {
			return nil, ErrPathEscape
		}
		b := hexValue(segment[1])<<4 | hexValue(segment[2])
		switch {
		case b == 0:
			return nil, ErrPathEscape
		case isUnreserved(b):
			out = append(out, b)
		default:
			out = append(out, '%', upperHex[b>>4], upperHex[b&15])
		}
		segment = segment[3:]
	}
	return out, nil
}

const upperHex = "0123456789ABCDEF"

func hexValue(b byte) byte {
	if b > '9' {
		b = b&^0x20 - 'A' + '9' + 1
	}
	return b - '0'
}

// isUnreserved is RFC 3986 section 2.3.
func isUnreserved(b byte) bool { return class[b]&classHost != 0 || b == '~' }
