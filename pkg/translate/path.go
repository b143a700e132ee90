package translate

import (
	"fmt"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
)

// maxPath bounds the path of a route in bytes, as Gateway API does.
const maxPath = 1024

// routePath returns the path of a route in the form that is compared with requests, or a problem. Requests are compared by
// their normalized path (RFC 3986, section 6.2.2: unreserved bytes decoded, escapes in upper case, no dot segments).
// Therefore routePath normalizes the path, and rejects paths that no request can have.
func routePath(text string, kind model.PathType) (path, problem string) {
	if problem := checkPath(text); problem != "" {
		return "", problem
	}
	path, problem = normalizePath(text)
	if problem != "" {
		return "", problem
	}
	if problem := checkSegments(path); problem != "" {
		return "", problem
	}
	if kind == model.PathPrefix && len(path) > 1 {
		path = strings.TrimSuffix(path, "/") // prefixes are compared by segment, so /a and /a/ are equal
	}
	return path, ""
}

// trimStar returns the prefix that a path such as "/app/*" means in other controllers. Other paths stay as they are.
func trimStar(path string) string {
	if strings.HasSuffix(path, "/*") {
		return strings.TrimSuffix(path, "*")
	}
	return path
}

// isPattern reports whether a normalized path looks like a regular expression, a glob or a template. A dollar sign is common in
// paths, except where a segment or a group ends.
func isPattern(path string) bool {
	return strings.ContainsAny(path, `*^|[]{}`) || strings.Contains(path, "(?") || strings.Contains(path, ".+") ||
		strings.Contains(path, "$)") || strings.HasSuffix(path, "$")
}

// literalPart returns the segments of a pattern before the first one that is not literal.
func literalPart(path string) string {
	at := strings.IndexAny(path, patternBytes)
	if at < 0 {
		return path
	}
	if path[at] == '(' && path[at-1] != '/' { // such as /api(/|$)(.*)
		return path[:at]
	}
	return path[:strings.LastIndexByte(path[:at], '/')+1]
}

func checkPath(path string) string {
	if !strings.HasPrefix(path, "/") {
		return `must start with "/"`
	}
	if len(path) > maxPath {
		return fmt.Sprintf("is longer than %d bytes", maxPath)
	}
	for i := range len(path) {
		switch c := path[i]; {
		case c < 0x20, c == 0x7f:
			return fmt.Sprintf("must not contain the control byte 0x%02x", c)
		case c == '?', c == '#':
			return fmt.Sprintf("must not contain %q, which ends a path", c)
		case c == '\\':
			return `must not contain "\", which some servers treat as "/"; requests with it are rejected`
		}
	}
	return ""
}

// pieces splits a segment at bytes that some servers treat as separators: the proxy rejects dot segments between them.
var pieces = strings.NewReplacer("%2F", ";", "%5C", ";")

// checkSegments checks the segments of a normalized path, in which "%2e" is already decoded.
func checkSegments(path string) string {
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		if segment == "" && i < len(segments)-1 {
			return `must not contain "//"`
		}
		for _, piece := range strings.Split(pieces.Replace(segment), ";") {
			if piece == "." || piece == ".." {
				return fmt.Sprintf("must not contain the segment %q, which no normalized request path has", piece)
			}
		}
	}
	return ""
}

func normalizePath(path string) (out, problem string) {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c != '%' {
			writeByte(&b, c, c != ' ' && c < 0x80)
			continue
		}
		decoded, ok := unescape(path[i:])
		if !ok || decoded == 0 {
			return "", `must not contain "%" without two hexadecimal digits after it, or "%00"`
		}
		writeByte(&b, decoded, isUnreserved(decoded))
		i += 2
	}
	return b.String(), ""
}

func writeByte(b *strings.Builder, c byte, plain bool) {
	if plain {
		b.WriteByte(c)
		return
	}
	const digits = "0123456789ABCDEF"
	b.Write([]byte{'%', digits[c>>4], digits[c&15]})
}

// unescape decodes the percent-encoding at the start of s.
func unescape(s string) (c byte, ok bool) {
	if len(s) < 3 {
		return 0, false
	}
	high, ok1 := hexDigit(s[1])
	low, ok2 := hexDigit(s[2])
	return high<<4 | low, ok1 && ok2
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// isUnreserved reports whether c is unreserved (RFC 3986, section 2.3).
func isUnreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
}
