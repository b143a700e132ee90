package http1

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// responseCase is a raw response to a method (default GET), and the expected result.
type responseCase struct {
	name   string
	method string
	raw    string
	err    error
	want   string
}

func responseCases() []responseCase {
	return concat(statusLineCases, responseFramingCases, responseFieldCases)
}

// ok is a response with these lines.
func ok(lines ...string) string { return head(append([]string{"HTTP/1.1 200 OK"}, lines...)...) }

// status is a response with that status line and these lines.
func status(line string, lines ...string) string {
	return head(append([]string{"HTTP/1.1 " + line}, lines...)...)
}

func describeResponse(r *Response) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s%s", r.Status, r.Reason, describeMessage(&r.Message))
	if r.Body == BodyNone && r.ContentLength > 0 {
		fmt.Fprintf(&b, ", would have %d", r.ContentLength)
	}
	return b.String()
}

func parseResponse(r *Response, raw []byte, method string) (int, error) {
	if method == "" {
		method = "GET"
	}
	lim := DefaultLimits()
	return ParseResponse(r, raw, &lim, []byte(method))
}

func TestParseResponse_cases(t *testing.T) {
	for _, tc := range responseCases() {
		t.Run(tc.name, func(t *testing.T) {
			var r Response
			n, err := parseResponse(&r, []byte(tc.raw), tc.method)
			if err != tc.err {
				t.Fatalf("got error %v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			if got := describeResponse(&r); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if end := headLength(tc.raw); n != end {
				t.Errorf("head has %d bytes, want %d", n, end)
			}
		})
	}
}

// headLength returns the length of the head at the start of raw, whose lines all end in the same way.
func headLength(raw string) int {
	if strings.HasPrefix(strings.TrimLeft(raw, "\r\n"), "HTTP/") && endsWithBareLF([]byte(raw)) {
		return strings.Index(raw, "\n\n") + 2
	}
	return strings.Index(raw, "\r\n\r\n") + 4
}

func TestParseResponse_everySplit(t *testing.T) {
	for _, tc := range responseCases() {
		if len(tc.raw) < 4096 {
			t.Run(tc.name, func(t *testing.T) { splitResponse(t, []byte(tc.raw), tc.method) })
		}
	}
}

func splitResponse(t *testing.T, raw []byte, method string) {
	t.Helper()
	var whole Response
	wantN, wantErr := parseResponse(&whole, raw, method)
	if wantErr == ErrIncomplete {
		return
	}
	for i := range raw {
		var r Response
		n, err := parseResponse(&r, bytes.Clone(raw[:i]), method)
		if err == ErrIncomplete {
			n, err = parseResponse(&r, raw, method)
		}
		if err == ErrIncomplete {
			n, err = parseResponse(&r, lineEnds(raw), method)
		}
		if n != wantN || err != wantErr {
			t.Fatalf("split at %d: got %d, %v; want %d, %v", i, n, err, wantN, wantErr)
		}
		if err == nil && describeResponse(&r)+fieldLines(r.Fields) != describeResponse(&whole)+fieldLines(whole.Fields) {
			t.Fatalf("split at %d: got %s, want %s", i, describeResponse(&r), describeResponse(&whole))
		}
	}
}

func TestParseResponse_matchesNetHTTP(t *testing.T) {
	for _, tc := range responseCases() {
		t.Run(tc.name, func(t *testing.T) { oracleResponse(t, []byte(tc.raw), tc.method) })
	}
}

func oracleResponse(t *testing.T, raw []byte, method string) {
	t.Helper()
	var r Response
	n, err := parseResponse(&r, raw, method)
	if err != nil {
		return
	}
	in := bufio.NewReaderSize(bytes.NewReader(raw), len(raw)+16)
	std, err := http.ReadResponse(in, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("net/http refuses %q: %v", raw[:n], err)
	}
	same(t, "status", r.Status, std.StatusCode)
	same(t, "minor", r.Minor, min(std.ProtoMinor, 1))
	if r.KeepAlive && std.Close {
		t.Fatalf("net/http closes after %q", raw[:n])
	}
	if r.Body == BodyLength {
		same(t, "length", r.ContentLength, std.ContentLength)
	}
	oracleFields(t, &r.Message, std.Header)
	if r.Status == http.StatusSwitchingProtocols {
		return
	}
	oracleBody(t, &r.Message, raw[n:], in, std.Body, func() http.Header { return std.Trailer })
}

func TestParseResponse_reuse(t *testing.T) {
	var used, fresh Response
	if _, err := parseResponse(&used, []byte(ok("Transfer-Encoding: chunked", "Set-Cookie: a=1", "Connection: X")), ""); err != nil {
		t.Fatal(err)
	}
	if len(used.Cookies) != 1 || string(used.Fields[used.Cookies[0]].Value) != "a=1" {
		t.Fatalf("cookies are at %v", used.Cookies)
	}
	used.Reset()
	for _, r := range []*Response{&used, &fresh} {
		if _, err := parseResponse(r, []byte(status("304", "Content-Length: 7")), ""); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := describeResponse(&used), describeResponse(&fresh); got != want || used.Has(FieldSetCookie) {
		t.Errorf("got %s, want %s", got, want)
	}
}
