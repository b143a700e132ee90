package http1

import (
	"net/http"
	"strconv"
)

// text is what fields are written from.
type text interface{ ~string | ~[]byte }

// AppendRequestLine appends the request line of an origin-form or asterisk-form, always as HTTP/1.1.
func AppendRequestLine(dst, method, path, query []byte, hasQuery bool) []byte {
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, path...)
	if hasQuery {
		dst = append(dst, '?')
		dst = append(dst, query...)
	}
	return append(dst, " HTTP/1.1\r\n"...)
}

// AppendStatusLine appends a status line, always as HTTP/1.1, with the usual reason if the one given is empty.
func AppendStatusLine(dst []byte, status int, reason []byte) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	if len(reason) > 0 {
		dst = append(dst, reason...)
	} else {
		dst = append(dst, http.StatusText(status)...)
	}
	return append(dst, "\r\n"...)
}

// AppendField appends a field line. Name and value must be valid: nothing is checked.
func AppendField[N, V text](dst []byte, name N, value V) []byte {
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	dst = append(dst, value...)
	return append(dst, "\r\n"...)
}

// AppendContentLength appends a Content-Length field line.
func AppendContentLength(dst []byte, n int64) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, "\r\n"...)
}

// AppendHeadEnd appends the empty line that ends a head.
func AppendHeadEnd(dst []byte) []byte { return append(dst, "\r\n"...) }

// AppendChunkHeader appends the line before n bytes of chunk data; n must not be 0. The data is followed by CRLF.
func AppendChunkHeader(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16)
	return append(dst, "\r\n"...)
}

// AppendBodyEnd appends all that follows the data of a chunked body: its last chunk, and those trailers of m that may be
// forwarded.
func AppendBodyEnd(dst []byte, trailers []Field, m *Message) []byte {
	dst = append(dst, "0\r\n"...)
	for i := range trailers {
		if f := &trailers[i]; ForwardTrailer(f, m) {
			dst = AppendField(dst, f.Name, f.Value)
		}
	}
	return AppendHeadEnd(dst)
}
