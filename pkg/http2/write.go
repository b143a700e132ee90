package http2

import (
	"bytes"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// Field sections are encoded with the static table only (RFC 7541 section 6.2.2). Encoding is then independent of earlier field
// sections, and much cheaper than maintaining a dynamic table. Most values that a dynamic table would shorten differ between
// requests anyway.

// AppendStatus appends the pseudo-header field of a response.
func AppendStatus(b []byte, status int) []byte {
	switch status {
	case 200:
		return append(b, 0x88)
	case 204:
		return append(b, 0x89)
	case 206:
		return append(b, 0x8a)
	case 304:
		return append(b, 0x8b)
	case 400:
		return append(b, 0x8c)
	case 404:
		return append(b, 0x8d)
	case 500:
		return append(b, 0x8e)
	}
	b = append(b, 0x08, 3) // literal with the name at index 8
	return strconv.AppendInt(b, int64(status), 10)
}

// AppendRequest appends the pseudo-header fields of a request, except for the path.
func AppendRequest(b []byte, method []byte, isTLS bool, authority []byte) []byte {
	switch string(method) {
	case "GET":
		b = append(b, 0x82)
	case "POST":
		b = append(b, 0x83)
	default:
		b = appendString(append(b, 0x02), method)
	}
	if isTLS {
		b = append(b, 0x87)
	} else {
		b = append(b, 0x86)
	}
	return appendString(append(b, 0x01), authority)
}

// AppendPath appends the :path pseudo-header field, which consists of path and query.
func AppendPath(b, path, query []byte, hasQuery bool) []byte {
	if !hasQuery && string(path) == "/" {
		return append(b, 0x84)
	}
	n := len(path)
	if hasQuery {
		n += 1 + len(query)
	}
	b = append(appendInt(append(b, 0x04), 0, 7, n), path...)
	if hasQuery {
		b = append(append(b, '?'), query...)
	}
	return b
}

// AppendField appends a field. The name may be in any case.
func AppendField[T ~string | ~[]byte](b []byte, name []byte, value T) []byte {
	id := http1.NameID(name)
	kind := byte(0x00)
	if isSensitive(id) {
		kind = 0x10 // intermediaries must not index it either (RFC 7541 section 7.1.3)
	}
	if index := staticNames[id]; index > 0 {
		b = appendInt(b, kind, 4, int(index))
	} else {
		b = appendLower(append(b, kind), name)
	}
	return appendString(b, value)
}

// AppendLength appends a Content-Length field.
func AppendLength(b []byte, n int64) []byte {
	var space [20]byte
	return appendString(appendInt(b, 0, 4, int(staticNames[http1.FieldContentLength])), strconv.AppendInt(space[:0], n, 10))
}

// AppendLines appends fields in HTTP/1.1 format, which must be well-formed: name, colon, space, value, CRLF.
func AppendLines(b, lines []byte) []byte {
	for len(lines) > 0 {
		end := bytes.IndexByte(lines, '\r')
		colon := bytes.IndexByte(lines, ':')
		b = AppendField(b, lines[:colon], lines[colon+2:end])
		lines = lines[end+2:]
	}
	return b
}

// AppendTrailers appends those trailers of m that may be forwarded.
func AppendTrailers(b []byte, trailers []http1.Field, m *http1.Message) []byte {
	for i := range trailers {
		if f := &trailers[i]; http1.ForwardTrailer(f, m) {
			b = AppendField(b, f.Name, f.Value)
		}
	}
	return b
}

func isSensitive(id http1.FieldID) bool {
	switch id {
	case http1.FieldAuthorization, http1.FieldCookie, http1.FieldSetCookie:
		return true
	}
	return false
}

func appendString[T ~string | ~[]byte](b []byte, text T) []byte {
	return append(appendInt(b, 0, 7, len(text)), text...)
}

func appendLower(b, name []byte) []byte {
	b = appendInt(b, 0, 7, len(name))
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		b = append(b, c)
	}
	return b
}

// appendInt appends an integer with an n-bit prefix (RFC 7541 section 5.1).
func appendInt(b []byte, high byte, bits uint, n int) []byte {
	maxPrefix := 1<<bits - 1
	if n < maxPrefix {
		return append(b, high|byte(n))
	}
	b = append(b, high|byte(maxPrefix))
	for n -= maxPrefix; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// staticNames maps field names to indices of the static table (RFC 7541 appendix A). Zero means that there is no entry.
var staticNames = [256]uint8{
	http1.FieldAcceptEncoding:     16,
	http1.FieldAccept:             19,
	http1.FieldAuthorization:      23,
	http1.FieldCacheControl:       24,
	http1.FieldContentEncoding:    26,
	http1.FieldContentLength:      28,
	http1.FieldContentRange:       30,
	http1.FieldContentType:        31,
	http1.FieldCookie:             32,
	http1.FieldDate:               33,
	http1.FieldExpect:             35,
	http1.FieldLocation:           46,
	http1.FieldMaxForwards:        47,
	http1.FieldProxyAuthenticate:  48,
	http1.FieldProxyAuthorization: 49,
	http1.FieldRange:              50,
	http1.FieldReferer:            51,
	http1.FieldRetryAfter:         53,
	http1.FieldServer:             54,
	http1.FieldSetCookie:          55,
	http1.FieldUserAgent:          58,
	http1.FieldVary:               59,
	http1.FieldVia:                60,
	http1.FieldWWWAuthenticate:    61,
}
