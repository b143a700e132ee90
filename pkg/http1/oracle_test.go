package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// These tests compare with net/http. Messages that it rejects must be rejected here, and messages that are accepted
// here must have the same meaning there. net/http is more lenient, so the converse does not hold.

// oracleRequest compares the parsed request and its body.
func oracleRequest(t *testing.T, raw []byte) {
	t.Helper()
	var r Request
	lim := DefaultLimits()
	n, err := ParseRequest(&r, raw, &lim)
	if err != nil {
		return
	}
	in := bufio.NewReaderSize(bytes.NewReader(raw), len(raw)+16)
	std, err := http.ReadRequest(in)
	if err != nil {
		t.Fatalf("net/http refuses %q: %v", raw[:n], err)
	}
	same(t, "method", string(r.Method), std.Method)
	same(t, "host", string(oracleHost(&r, r.Host)), string(oracleHost(&r, []byte(std.Host))))
	same(t, "minor", r.Minor, min(std.ProtoMinor, 1))
	same(t, "keep-alive", r.KeepAlive, !std.Close)
	same(t, "length", oracleLength(&r.Message), std.ContentLength)
	oracleTarget(t, &r, std)
	oracleFields(t, &r.Message, std.Header)
	oracleBody(t, &r.Message, raw[n:], in, std.Body, func() http.Header { return std.Trailer })
}

// oracleTarget compares the target as received, or the parsed form of an absolute-form.
func oracleTarget(t *testing.T, r *Request, std *http.Request) {
	t.Helper()
	target := string(r.Path)
	if r.HasQuery {
		target += "?" + string(r.Query)
	}
	if target == std.RequestURI {
		return
	}
	path, err := url.PathUnescape(string(r.Path))
	if err != nil {
		t.Fatal(err)
	}
	if std.URL.Path == "" && (path == "/" || path == "*") {
		path = ""
	}
	same(t, "path", path, std.URL.Path)
	if string(r.Query) != std.URL.RawQuery { // UTF-8 is percent-encoded
		same(t, "query", strings.ToUpper(unescape(string(r.Query))), strings.ToUpper(unescape(std.URL.RawQuery)))
	}
}

// unescape decodes the percent-encodings of bytes above ASCII.
func unescape(query string) string {
	return regexp.MustCompile("%[89A-Fa-f][0-9A-Fa-f]").ReplaceAllStringFunc(query, func(escape string) string {
		b, _ := url.PathUnescape(escape)
		return b
	})
}

// oracleHost returns the canonical form of a host: net/http returns the one in the target, this package the one in Host.
func oracleHost(r *Request, host []byte) []byte {
	return bytes.ToLower(r.withoutDefaultPort(host))
}

func oracleLength(m *Message) int64 {
	if m.Body == BodyChunked {
		return -1
	}
	return max(m.ContentLength, 0)
}

// oracleFields compares all fields except those that net/http removes or adds. These are compared separately.
func oracleFields(t *testing.T, m *Message, std http.Header) {
	t.Helper()
	ours := headerOf(m.Fields)
	if lengths := ours["Content-Length"]; m.normalized && len(lengths) > 1 {
		ours["Content-Length"] = lengths[:1] // they are equal
	}
	if slices.Equal(ours["Pragma"][:min(1, len(ours["Pragma"]))], []string{"no-cache"}) && !m.Has(FieldCacheControl) {
		std.Del("Cache-Control")
	}
	for _, name := range []string{"Host", "Connection", "Transfer-Encoding", "Trailer"} {
		ours.Del(name)
		std.Del(name)
	}
	if !maps.EqualFunc(ours, std, slices.Equal) {
		t.Fatalf("fields are %q, with net/http %q", ours, std)
	}
}

func headerOf(fields []Field) http.Header {
	h := http.Header{}
	for _, f := range fields {
		h.Add(string(f.Name), string(f.Value))
	}
	return h
}

// oracleBody compares body and trailers, and where the next message begins.
func oracleBody(t *testing.T, m *Message, rest []byte, in *bufio.Reader, std io.Reader, trailer func() http.Header) {
	t.Helper()
	data, trailers, n, err := readBody(m, rest, len(rest)+1)
	if err != nil {
		return
	}
	stdData, err := io.ReadAll(std)
	if err != nil {
		t.Fatalf("net/http refuses the body of %q: %v", rest, err)
	}
	same(t, "body", string(data), string(stdData))
	left, _ := io.ReadAll(in)
	same(t, "rest", string(rest[n:]), string(left))
	if ours := headerOf(trailers); m.Body == BodyChunked && !sameHeaders(ours, trailer()) {
		t.Fatalf("trailers are %q, with net/http %q", ours, trailer())
	}
}

// sameHeaders ignores fields without a value, which net/http adds for announced trailers that are not sent.
func sameHeaders(a, b http.Header) bool {
	valueless := func(_ string, values []string) bool { return len(values) == 0 }
	maps.DeleteFunc(a, valueless)
	maps.DeleteFunc(b, valueless)
	return maps.EqualFunc(a, b, slices.Equal)
}

// readBody reads the body of m from buf, in steps of the given size.
func readBody(m *Message, buf []byte, step int) (data []byte, trailers []Field, n int, err error) {
	switch m.Body {
	case BodyLength:
		if int64(len(buf)) < m.ContentLength {
			return nil, nil, 0, io.ErrUnexpectedEOF
		}
		return buf[:m.ContentLength], nil, int(m.ContentLength), nil
	case BodyUntilClose:
		return buf, nil, len(buf), nil
	case BodyChunked:
		return readChunks(buf, step, DefaultLimits())
	}
	return nil, nil, 0, nil
}

// readChunks decodes a chunked body in steps of the given size.
func readChunks(buf []byte, step int, lim Limits) (data []byte, trailers []Field, n int, err error) {
	var c Chunked
	c.Reset(&lim)
	return readChunksWith(&c, buf, step)
}

func readChunksWith(c *Chunked, buf []byte, step int) (data []byte, trailers []Field, n int, err error) {
	for n < len(buf) {
		part := bytes.Clone(buf[n:min(n+step, len(buf))])
		for {
			span, used, done, err := c.Next(part)
			data = append(data, span...)
			n += used
			part = part[used:]
			if done {
				return data, c.Trailers, n, nil
			}
			if err == ErrIncomplete && len(part) == 0 {
				break
			}
			if err != nil || len(span) == 0 {
				return data, nil, n, fmt.Errorf("after %d bytes: %w", n, err)
			}
		}
	}
	return data, nil, n, ErrIncomplete
}

func same[T comparable](t *testing.T, what string, ours, std T) {
	t.Helper()
	if ours != std {
		t.Fatalf("%s is %#v, with net/http %#v", what, ours, std)
	}
}

func TestParseRequest_matchesNetHTTP(t *testing.T) {
	for _, tc := range requestCases() {
		t.Run(tc.name, func(t *testing.T) { oracleRequest(t, []byte(tc.raw)) })
	}
}
