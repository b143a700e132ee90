package http1

import (
	"errors"
	"strings"
	"testing"
)

var chunkedCases = []struct {
	name     string
	raw      string
	err      error
	data     string
	trailers string
	rest     string
}{
	{name: "empty body", raw: "0\r\n\r\n"},
	{name: "one chunk", raw: "5\r\nhello\r\n0\r\n\r\n", data: "hello"},
	{name: "two chunks", raw: "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", data: "hello world"},
	{name: "chunk of CRLFs", raw: "4\r\n\r\n\r\n\r\n0\r\n\r\n", data: "\r\n\r\n"},
	{name: "size in small letters", raw: "0a\r\n0123456789\r\n0\r\n\r\n", data: "0123456789"},
	{name: "size in capitals", raw: "A\r\n0123456789\r\n0\r\n\r\n", data: "0123456789"},
	{name: "size with zeros in front", raw: "00000001\r\na\r\n000\r\n\r\n", data: "a"},
	{name: "next message", raw: "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n", data: "a", rest: "GET / HTTP/1.1\r\n"},
	{name: "extension", raw: "1;a=b\r\na\r\n0;c\r\n\r\n", data: "a"},
	{name: "extension in quotes", raw: "1;a=\"b;c \t\xe9\"\r\na\r\n0\r\n\r\n", data: "a"},
	{name: "extension that looks like an end", raw: "1;0\\r\\n\r\na\r\n0\r\n\r\n", data: "a"},
	{name: "trailer", raw: "0\r\nX-Sum: 1\r\n\r\n", trailers: "X-Sum: 1\n"},
	{name: "trailers", raw: "1\r\na\r\n0\r\nA:1\r\nb: \r\nA: 2 \r\n\r\nrest", data: "a", trailers: "A: 1\nb: \nA: 2\n", rest: "rest"},

	{name: "size missing", raw: "\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "size empty before extension", raw: ";a\r\n\r\n", err: ErrChunkSize},
	{name: "size of other letters", raw: "g\r\n", err: ErrChunkSize},
	{name: "size signed plus", raw: "+1\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "size signed minus", raw: "-1\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "size with 0x", raw: "0x1\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "size with underscore", raw: "1_0\r\n", err: ErrChunkSize},
	{name: "space before size", raw: " 1\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "space after size", raw: "1 \r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "space before extension", raw: "1 ;a\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "tab after size", raw: "1\t\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "NUL after size", raw: "1\x00\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "comma after size", raw: "1,2\r\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "size of 17 digits", raw: "00000000000000001\r\na\r\n0\r\n\r\n", err: ErrChunkTooLarge},
	{name: "size out of range", raw: "8000000000000000\r\n", err: ErrChunkTooLarge},
	{name: "size that wraps to 1", raw: "10000000000000001\r\na\r\n0\r\n\r\n", err: ErrChunkTooLarge},
	{name: "highest size", raw: "7fffffffffffffff\r\nabc", err: ErrIncomplete, data: "abc"},
	{name: "bare LF after size", raw: "1\na\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "bare CR after size", raw: "1\ra\r\n0\r\n\r\n", err: ErrChunkEnd},
	{name: "bare LF after extension", raw: "1;a\na\r\n0\r\n\r\n", err: ErrChunkExtension},
	{name: "bare CR in extension", raw: "1;a\rb\r\na\r\n0\r\n\r\n", err: ErrChunkEnd},
	{name: "NUL in extension", raw: "1;\x00\r\na\r\n0\r\n\r\n", err: ErrChunkExtension},
	{name: "extension too long", raw: "1;" + strings.Repeat("a", 4097), err: ErrChunkExtension},
	{name: "extensions too long together", raw: strings.Repeat("1;"+strings.Repeat("a", 1000)+"\r\na\r\n", 5), err: ErrChunkExtension, data: "aaaa"},
	{name: "data longer than size", raw: "1\r\nab\r\n0\r\n\r\n", err: ErrChunkEnd, data: "a"},
	{name: "data shorter than size", raw: "3\r\nab\r\n0\r\n\r\n", err: ErrChunkEnd, data: "ab\r"},
	{name: "bare LF after data", raw: "1\r\na\n0\r\n\r\n", err: ErrChunkEnd, data: "a"},
	{name: "bare CR after data", raw: "1\r\na\r0\r\n\r\n", err: ErrChunkEnd, data: "a"},
	{name: "nothing after data", raw: "1\r\na0\r\n\r\n", err: ErrChunkEnd, data: "a"},
	{name: "two line ends after data", raw: "1\r\na\r\n\r\n0\r\n\r\n", err: ErrChunkSize, data: "a"},
	{name: "bare LF after last size", raw: "0\n\r\n", err: ErrChunkSize},
	{name: "bare LF at the end", raw: "0\r\n\n", err: ErrLineEnd},
	{name: "bare CR at the end", raw: "0\r\n\rX\r\n\r\n", err: ErrLineEnd},
	{name: "request instead of the end", raw: "0\r\nGET / HTTP/1.1\r\n\r\n", err: ErrFieldName},
	{name: "folded trailer", raw: "0\r\nA: b\r\n c\r\n\r\n", err: ErrFold},
	{name: "trailer with space before colon", raw: "0\r\nA : b\r\n\r\n", err: ErrFieldName},
	{name: "trailer with NUL", raw: "0\r\nA: \x00\r\n\r\n", err: ErrFieldValue},
	{name: "trailer with bare LF", raw: "0\r\nA: b\nB: c\r\n\r\n", err: ErrLineEnd},
	{name: "trailers too long", raw: "0\r\nA: " + strings.Repeat("b", 8192) + "\r\n\r\n", err: ErrTrailerTooLarge},
	{name: "trailers without end", raw: "0\r\n" + strings.Repeat("A: b\r\n", 8192), err: ErrTrailerTooLarge},
	{name: "too many trailers", raw: "0\r\n" + strings.Repeat("A:\r\n", 129) + "\r\n", err: ErrTooManyFields},
	{name: "nothing at all", raw: "", err: ErrIncomplete},
	{name: "end missing", raw: "1\r\na\r\n", err: ErrIncomplete, data: "a"},
	{name: "empty line missing", raw: "0\r\n", err: ErrIncomplete},
}

func TestChunked_cases(t *testing.T) {
	for _, tc := range chunkedCases {
		for _, step := range []int{1, 2, 3, 7, 1 << 20} {
			data, trailers, n, err := readChunks([]byte(tc.raw), step, DefaultLimits())
			if !errors.Is(err, tc.err) {
				t.Errorf("%s, by %d: got error %v, want %v", tc.name, step, err, tc.err)
				continue
			}
			if string(data) != tc.data {
				t.Errorf("%s, by %d: got data %q, want %q", tc.name, step, data, tc.data)
			}
			if err == nil && (fieldLines(trailers) != tc.trailers || tc.raw[n:] != tc.rest) {
				t.Errorf("%s, by %d: got trailers %q and rest %q", tc.name, step, fieldLines(trailers), tc.raw[n:])
			}
		}
	}
}

// splitChunked compares decoding a body in steps with decoding it at once.
func splitChunked(t *testing.T, raw []byte, step int) {
	t.Helper()
	data, trailers, n, err := readChunks(raw, step, DefaultLimits())
	wantData, wantTrailers, wantN, wantErr := readChunks(raw, len(raw)+1, DefaultLimits())
	same(t, "data", string(data), string(wantData))
	same(t, "trailers", fieldLines(trailers), fieldLines(wantTrailers))
	same(t, "succeeded", err == nil, wantErr == nil)
	if err == nil {
		same(t, "length", n, wantN)
	} else if errors.Unwrap(err) != errors.Unwrap(wantErr) {
		t.Fatalf("by %d: got error %v, want %v", step, err, wantErr)
	}
}

func TestChunked_doesNotCopy(t *testing.T) {
	var c Chunked
	lim := DefaultLimits()
	c.Reset(&lim)
	buf := []byte("3\r\nabc\r\n0\r\n\r\n")
	data, n, done, err := c.Next(buf)
	if string(data) != "abc" || n != 6 || done || err != nil || &data[0] != &buf[3] {
		t.Fatalf("got %q, %d, %t, %v", data, n, done, err)
	}
	if data, n, done, err = c.Next(buf[6:]); data != nil || n != len(buf)-6 || !done || err != nil {
		t.Fatalf("got %q, %d, %t, %v", data, n, done, err)
	}
}

func TestChunked_Reset(t *testing.T) {
	var c Chunked
	lim := DefaultLimits()
	for range 2 {
		c.Reset(&lim)
		if _, _, done, err := c.Next([]byte("0\r\nA: b\r\n\r\n")); !done || err != nil || fieldLines(c.Trailers) != "A: b\n" {
			t.Fatalf("got %t, %v, %q", done, err, fieldLines(c.Trailers))
		}
	}
	c.Reset(&lim)
	if _, _, done, err := c.Next([]byte("0\r\n\r\n")); !done || err != nil || len(c.Trailers) > 0 {
		t.Fatalf("got %t, %v, %q", done, err, fieldLines(c.Trailers))
	}
}
