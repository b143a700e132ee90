package http1

import "bytes"

// NormalizePath returns the normal form of a path. It is used for matching and forwarding, so that Limpet and the
// server interpret the path in the same way.
//
// Percent-encoded unreserved characters are decoded, other percent-encodings are converted to upper case (RFC 3986,
// section 6.2.2), and dot segments are removed (section 5.2.4). "//", %2F and %5C are kept.
//
// NormalizePath rejects paths that lead above the root, %00, and segments that only some servers would treat as dot
// segments, such as "..;x" and "..%2Fx".
//
// If path is normal already, out is path. Otherwise out is built in dst[:0], which must not overlap path. A path
// that does not start with "/", such as "*", is returned unchanged.
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

// isNormal is a fast check for most normal paths: no percent-encoding, and no segment that starts with a dot.
func isNormal(path []byte) bool {
	if len(path) == 0 || path[0] != '/' {
		return true
	}
	return bytes.IndexByte(path, '%') < 0 && !bytes.Contains(path, slashDot)
}

var slashDot = []byte("/.")

// appendSegments appends the segments of path to the empty out.
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

// cutSegment splits the first segment from a path that starts with "/".
func cutSegment(path []byte) (segment, rest []byte) {
	path = path[1:]
	if i := bytes.IndexByte(path, '/'); i >= 0 {
		return path[:i], path[i:]
	}
	return path, nil
}

// foldDots removes the segment at start if it is a dot segment, and with ".." also the preceding one. If it was the
// last segment, the slash before it is kept.
func foldDots(out []byte, start int, last bool) ([]byte, error) {
	switch segment := out[start+1:]; {
	case string(segment) == ".":
		out = out[:start]
	case string(segment) == "..":
		if start == 0 {
			return nil, ErrPathAboveRoot
		}
		out = out[:bytes.LastIndexByte(out[:start], '/')]
	case hasHiddenDots(segment):
		return nil, ErrPathAmbiguous
	default:
		return out, nil
	}
	if last {
		out = append(out, '/')
	}
	return out, nil
}

// hasHiddenDots reports whether a segment contains a dot segment between semicolons or encoded slashes. Servlet
// containers split at semicolons, and some servers decode slashes before they remove dot segments.
func hasHiddenDots(segment []byte) bool {
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

// separator returns the length of the separator at the start of text, or 0. Some servers end a segment at these
// separators.
func separator(text []byte) int {
	if len(text) > 0 && text[0] == ';' {
		return 1
	}
	if len(text) >= 3 && (string(text[:3]) == "%2F" || string(text[:3]) == "%5C") {
		return 3
	}
	return 0
}

// appendUnescaped appends a segment with normalized percent-encodings.
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

// isUnreserved reports whether b is unreserved (RFC 3986, section 2.3).
func isUnreserved(b byte) bool { return class[b]&classHost != 0 || b == '~' }
