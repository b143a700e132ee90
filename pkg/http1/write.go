package http1

import (
	"net/http"
	"strconv"
)

// text is the type set of field names and values.
type text interface{ ~string | ~[]byte }

// AppendRequestLine appends a request line in origin-form or asterisk-form. The version is always HTTP/1.1.
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

// AppendStatusLine appends a status line. The version is always HTTP/1.1. If reason is empty, the standard reason
// phrase is used.
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

// AppendField appends a field line. It does not validate name and value.
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

// AppendChunkHeader appends the header of a chunk with n bytes of data. n must not be 0. The caller must append
// CRLF after the data.
func AppendChunkHeader(dst []byte, n int) []byte {
	dst = strconv.AppendUint(dst, uint64(n), 16)
	return append(dst, "\r\n"...)
}

// AppendBodyEnd appends the last chunk of a chunked body, and the trailers of m that may be forwarded.
func AppendBodyEnd(dst []byte, trailers []Field, m *Message) []byte {
	dst = append(dst, "0\r\n"...)
	for i := range trailers {
		if f := &trailers[i]; ForwardTrailer(f, m) {
			dst = AppendField(dst, f.Name, f.Value)
		}
	}
	return AppendHeadEnd(dst)
}
