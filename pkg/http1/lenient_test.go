package http1

import (
	"errors"
	"strings"
	"testing"
)

// lenientCases are chunked bodies of responses. Those of requests are in chunkedCases.
var lenientCases = []struct {
	name       string
	raw        string
	err        error
	data       string
	trailers   string
	normalized bool
}{
	{name: "strict", raw: "2\r\nok\r\n0\r\nA: b\r\n\r\n", data: "ok", trailers: "A: b\n"},
	{name: "blanks after sizes", raw: "2  \r\nok\r\n0 \t\r\n\r\n", data: "ok"},
	{name: "blanks before an extension", raw: "2 ;a=b\r\nok\r\n0\r\n\r\n", data: "ok"},
	{name: "bare LF everywhere", raw: "2\nok\n0\nA: b\n\n", data: "ok", trailers: "A: b\n", normalized: true},
	{name: "bare LF everywhere, no trailers", raw: "2 \nok\n0\n\n", data: "ok", normalized: true},
	{name: "bare LF after a size", raw: "2\nok\r\n0\r\n\r\n", data: "ok", normalized: true},
	{name: "bare LF after data", raw: "2\r\nok\n0\r\n\r\n", data: "ok", normalized: true},
	{name: "bare LF at the end", raw: "2\r\nok\r\n0\r\n\n", data: "ok", normalized: true},

	{name: "digits after blanks", raw: "2 2\r\nok\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "blanks before the size", raw: " 2\r\nok\r\n0\r\n\r\n", err: ErrChunkSize},
	{name: "only blanks", raw: " \r\n", err: ErrChunkSize},
	{name: "other bytes after blanks", raw: "2 \x0b\r\nok\r\n", err: ErrChunkSize},
	{name: "blanks without end", raw: "2" + strings.Repeat(" ", 4097), err: ErrChunkExtension},
	{name: "bare LF in an extension", raw: "2;a\nok\r\n0\r\n\r\n", err: ErrChunkExtension},
	{name: "bare CR after a size", raw: "2\rok\r\n0\r\n\r\n", err: ErrChunkEnd},
	{name: "LF CR after data", raw: "2\r\nok\n\r0\r\n\r\n", err: ErrChunkSize, data: "ok"},
	{name: "trailers with both line ends", raw: "0\r\nA: b\nC: d\r\n\r\n", err: ErrLineEnd},
	{name: "trailers with both, CRLF first", raw: "0\r\nA: b\r\nC: d\n\r\n", err: ErrLineEnd},
	{name: "trailers too long", raw: "0\n" + strings.Repeat("A: b\n", 8192), err: ErrTrailerTooLarge},
	{name: "trailers unfinished", raw: "0\nA: b\n", err: ErrIncomplete},
}

func TestChunked_lenient(t *testing.T) {
	for _, tc := range lenientCases {
		for _, step := range []int{1, 2, 3, 1 << 20} {
			lim := DefaultLimits()
			var c Chunked
			c.Reset(&lim)
			c.lenient = true
			data, trailers, _, err := readChunksWith(&c, []byte(tc.raw), step)
			if !errors.Is(err, tc.err) || string(data) != tc.data || fieldLines(trailers) != tc.trailers ||
				err == nil && c.normalized != tc.normalized {
				t.Errorf("%s, by %d: got %q, %q, normalized %t, %v", tc.name, step, data, fieldLines(trailers), c.normalized, err)
			}
		}
	}
}
